package main

import (
	"context"
	"fmt"
	"net/url"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

// channels that both clients have, set by the first check of the chapter.
var theirs, ours types.JID

// post calls an operation of the gateway on a channel.
func (g *gateway) onChannel(ctx context.Context, method string, channel types.JID, path string, body, into any) error {
	return g.call(ctx, method, "/newsletters/"+url.PathEscape(channel.String())+path, body, into)
}

var channelChecks = []check{
	{"channels that each makes are followed by the other", func(ctx context.Context, w *world) error {
		made, err := w.byQR.CreateNewsletter(ctx, whatsmeow.CreateNewsletterParams{Name: "whatsmeow's"})
		if err != nil {
			return err
		}
		theirs = made.ID
		if err = w.gateway.onChannel(ctx, "POST", theirs, "/subscribe", map[string]any{}, nil); err != nil {
			return err
		}
		var created struct {
			Newsletter struct {
				ID string `json:"id"`
			} `json:"newsletter"`
		}
		if err = w.gateway.call(ctx, "POST", "/newsletters", map[string]any{"name": "The gateway's"}, &created); err != nil {
			return err
		}
		if ours, err = types.ParseJID(created.Newsletter.ID); err != nil {
			return err
		}
		return w.byQR.FollowNewsletter(ctx, ours)
	}},
	{"whatsmeow's post, its change and its revoke arrive", func(ctx context.Context, w *world) error {
		sent, err := w.byQR.SendMessage(ctx, theirs, plain("Rain"))
		if err != nil {
			return err
		}
		is := func(m messageData) bool { return m.MessageID == sent.ID }
		come, err := w.gateway.event(ctx, "message.received", "the post", is)
		if err != nil {
			return err
		}
		if err = first(same("the text", come.Content, "Rain"), same("its number", come.ServerID, sent.ServerID)); err != nil {
			return err
		}
		if _, err = w.byQR.SendMessage(ctx, theirs, w.byQR.BuildEdit(theirs, sent.ID, plain("Sun"))); err != nil {
			return err
		}
		edited, err := w.gateway.event(ctx, "message.edited", "the post", is)
		if err != nil {
			return err
		}
		if err = first(same("the new text", edited.Content, "Sun"), same("its number", edited.ServerID, sent.ServerID)); err != nil {
			return err
		}
		if _, err = w.byQR.SendMessage(ctx, theirs, w.byQR.BuildRevoke(theirs, types.EmptyJID, sent.ID)); err != nil {
			return err
		}
		_, err = w.gateway.event(ctx, "message.revoked", "the post", is)
		return err
	}},
	{"the gateway's post and its change arrive, and its counts when asked for", func(ctx context.Context, w *world) error {
		var sent struct {
			ID       string `json:"message_id"`
			ServerID int    `json:"server_id"`
		}
		if err := w.gateway.onChannel(ctx, "POST", ours, "/messages", map[string]any{"text": "Hats"}, &sent); err != nil {
			return err
		}
		if _, err := w.byQR.message(ctx, sent.ID); err != nil {
			return err
		}
		if _, err := w.byQR.NewsletterSubscribeLiveUpdates(ctx, ours); err != nil {
			return err
		}
		if err := w.gateway.onChannel(ctx, "PUT", ours, "/messages/"+sent.ID, map[string]any{"text": "Caps"}, nil); err != nil {
			return err
		}
		changed, err := event(ctx, w.byQR, 0, "the change", func(m *events.Message) bool {
			return m.Info.ID == sent.ID && m.NewsletterMeta != nil && !m.NewsletterMeta.EditTS.IsZero()
		})
		if err != nil {
			return err
		}
		if err = same("the new text", textOf(changed.Message), "Caps"); err != nil {
			return err
		}
		react := map[string]any{"server_id": sent.ServerID, "reaction": "👍"}
		if err = w.gateway.onChannel(ctx, "POST", ours, "/reaction", react, nil); err != nil {
			return err
		}
		_, err = event(ctx, w.byQR, 0, "the counts", func(u *events.NewsletterLiveUpdate) bool {
			return len(u.Messages) > 0 && u.Messages[0].MessageServerID == sent.ServerID && u.Messages[0].ReactionCounts["👍"] == 1
		})
		if err != nil {
			return fmt.Errorf("no live update: %w", err)
		}
		return nil
	}},
}

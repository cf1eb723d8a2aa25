package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"
)

func now() time.Time { return time.Now() }

// fetchPicture asks for a picture and fetches it from where the answer says it is.
func (d *device) fetchPicture(ctx context.Context, w *world, of types.JID, want []byte) error {
	info, err := d.GetProfilePictureInfo(ctx, of, nil)
	if err != nil {
		return err
	}
	response, err := w.network.media.Get(info.URL)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err = first(err, sameBytes(got, want)); err != nil {
		return err
	}
	again, err := d.GetProfilePictureInfo(ctx, of, &whatsmeow.GetProfilePictureParams{ExistingID: info.ID})
	if err != nil {
		return err
	}
	if again != nil {
		return fmt.Errorf("the picture %s, which is known, is given again", info.ID)
	}
	return nil
}

var peopleChecks = []check{
	{"the own name is among the first that is told", func(ctx context.Context, w *world) error {
		if _, err := event(ctx, w.byQR, 0, "its name", func(*events.AppStateSyncComplete) bool { return w.byQR.Store.PushName != "" }); err != nil {
			return err
		}
		return same("the name", w.byQR.Store.PushName, "Wanda")
	}},
	{"presence of a phone is told", func(ctx context.Context, w *world) error {
		if err := w.byQR.SendPresence(ctx, types.PresenceAvailable); err != nil {
			return err
		}
		// What subscribing tells may be that she is there already.
		before := w.byQR.mark()
		if err := w.byQR.SubscribePresence(ctx, w.paula.LID); err != nil {
			return err
		}
		for _, state := range []string{"available", "unavailable"} {
			if err := w.paula.do(ctx, "POST", "/presence", map[string]any{"state": state}, nil); err != nil {
				return err
			}
			_, err := event(ctx, w.byQR, before, state, func(p *events.Presence) bool {
				return p.From.User == w.paula.LID.User && p.Unavailable == (state == "unavailable")
			})
			if err != nil {
				return err
			}
			before = w.byQR.mark()
		}
		return nil
	}},
	{"a device that is online says delivered without more", func(ctx context.Context, w *world) error {
		id, err := w.paula.sendText(ctx, w.wanda.number, "now you are")
		if err != nil {
			return err
		}
		_, err = w.paula.receipt(ctx, id, "delivered")
		return err
	}},
	{"typing and recording are told", func(ctx context.Context, w *world) error {
		before := w.byQR.mark()
		if err := w.paula.do(ctx, "POST", "/typing", map[string]any{"chat": w.wanda.number, "media": "audio"}, nil); err != nil {
			return err
		}
		_, err := event(ctx, w.byQR, before, "recording", func(c *events.ChatPresence) bool {
			return c.State == types.ChatPresenceComposing && c.Media == types.ChatPresenceMediaAudio
		})
		if err != nil {
			return err
		}
		return w.byQR.SendChatPresence(ctx, w.greta.LID, types.ChatPresenceComposing, types.ChatPresenceMediaText)
	}},
	{"who is on WhatsApp is said", func(ctx context.Context, w *world) error {
		found, err := w.byQR.IsOnWhatsApp(ctx, []string{"+" + w.paula.number, "+5511900000000"})
		if err = first(err, same("answers", len(found), 2)); err != nil {
			return err
		}
		for _, each := range found {
			if err = same("whether "+each.Query+" is on WhatsApp", each.IsIn, each.Query == "+"+w.paula.number); err != nil {
				return err
			}
		}
		return nil
	}},
	{"facts and devices of people are told", func(ctx context.Context, w *world) error {
		if err := w.paula.do(ctx, "PATCH", "/profile", map[string]any{"about": "at the oven"}, nil); err != nil {
			return err
		}
		infos, err := w.byQR.GetUserInfo(ctx, []types.JID{w.paula.JID})
		if err != nil {
			return err
		}
		info := infos[w.paula.JID]
		devices, err := w.byQR.GetUserDevices(ctx, []types.JID{w.walter.LID})
		return first(
			err,
			same("the about text", info.Status, "at the oven"),
			same("the LID", info.LID, w.paula.LID),
			same("the devices", len(devices), 2),
		)
	}},
	{"about texts change by the stored query, and are told", func(ctx context.Context, w *world) error {
		// Only who knows the account is told.
		id, err := w.byQR.sendText(ctx, w.walter.JID, "here I am")
		if err != nil {
			return err
		}
		if _, err = w.byCode.message(ctx, id); err != nil {
			return err
		}
		before := w.byCode.mark()
		if err = w.byQR.SetStatusMessage(ctx, types.SetStatusInput{Text: proto.String("at the counter")}); err != nil {
			return err
		}
		_, err = event(ctx, w.byCode, before, "the about text", func(a *events.UserAbout) bool {
			return a.Status == "at the counter" && a.JID.User == w.wanda.JID.User
		})
		return err
	}},
	{"the picture of a person is told, fetched, and hidden from others", func(ctx context.Context, w *world) error {
		before := w.byQR.mark()
		if err := w.paula.do(ctx, "PATCH", "/profile", map[string]any{"picture": sampleJPEG()}, nil); err != nil {
			return err
		}
		if _, err := event(ctx, w.byQR, before, "the picture", func(p *events.Picture) bool { return p.JID.User == w.paula.JID.User }); err != nil {
			return err
		}
		if err := w.byQR.fetchPicture(ctx, w, w.paula.JID, sampleJPEG()); err != nil {
			return err
		}
		if err := w.paula.do(ctx, "POST", "/privacy", map[string]any{"category": "profile", "value": "none"}, nil); err != nil {
			return err
		}
		_, err := w.byQR.GetProfilePictureInfo(ctx, w.paula.JID, nil)
		return refused(err, whatsmeow.ErrProfilePictureUnauthorized)
	}},
	{"who has no picture is said to have none", func(ctx context.Context, w *world) error {
		_, err := w.byQR.GetProfilePictureInfo(ctx, w.walter.JID, nil)
		return refused(err, whatsmeow.ErrProfilePictureNotSet)
	}},
	{"a business has a name and says what it is", func(ctx context.Context, w *world) error {
		profile, err := w.byQR.GetBusinessProfile(ctx, w.greta.JID)
		if err = first(err, same("the account", profile.JID, w.greta.JID), same("the address of nobody's business", profile.Address, "")); err != nil {
			return err
		}
		details := map[string]any{"name": "Paula's Oven", "address": "1 Corn Street", "email": "paula@oven.example"}
		if err = w.paula.do(ctx, "POST", "/business", details, nil); err != nil {
			return err
		}
		profile, err = w.byQR.GetBusinessProfile(ctx, w.paula.JID)
		if err = first(err, same("the account", profile.JID, w.paula.JID), same("the address", profile.Address, "1 Corn Street"), same("the email", profile.Email, "paula@oven.example")); err != nil {
			return err
		}
		found, err := w.byQR.IsOnWhatsApp(ctx, []string{"+" + w.paula.number})
		return first(err, same("the name", found[0].VerifiedName.Details.GetVerifiedName(), "Paula's Oven"))
	}},
	{"an about text that is hidden is empty", func(ctx context.Context, w *world) error {
		for value, want := range map[string]string{"none": "", "all": "at the oven"} {
			if err := w.paula.do(ctx, "POST", "/privacy", map[string]any{"category": "status", "value": value}, nil); err != nil {
				return err
			}
			infos, err := w.byQR.GetUserInfo(ctx, []types.JID{w.paula.JID})
			if err = first(err, same("the about text", infos[w.paula.JID].Status, want)); err != nil {
				return err
			}
		}
		return nil
	}},
	{"a contact link is made, resolved and made anew", func(ctx context.Context, w *world) error {
		code, err := w.byQR.GetContactQRLink(ctx, false)
		if err != nil {
			return err
		}
		target, err := w.byCode.ResolveContactQRLink(ctx, code)
		if err = first(err, same("the account", target.JID, w.wanda.JID), same("the name", target.PushName, "Wanda")); err != nil {
			return err
		}
		again, err := w.byQR.GetContactQRLink(ctx, true)
		if err != nil {
			return err
		}
		_, err = w.byCode.ResolveContactQRLink(ctx, code)
		return first(refused(err, whatsmeow.ErrContactQRLinkNotFound), same("the same code", again == code, false))
	}},
	{"privacy settings are read and changed, and the own phone is told", func(ctx context.Context, w *world) error {
		settings, err := w.byQR.SetPrivacySetting(ctx, types.PrivacySettingTypeLastSeen, types.PrivacySettingContacts)
		if err = first(err, same("the setting", settings.LastSeen, types.PrivacySettingContacts)); err != nil {
			return err
		}
		read, err := w.byQR.TryFetchPrivacySettings(ctx, true)
		return first(
			err,
			same("the setting", read.LastSeen, types.PrivacySettingContacts),
			same("another", read.GroupAdd, types.PrivacySettingAll),
			same("the defense", read.Defense, types.PrivacySettingOnStandard),
			same("the stickers", read.Stickers, types.PrivacySettingContacts),
		)
	}},
	{"the default timer is taken", func(ctx context.Context, w *world) error {
		return w.byQR.SetDefaultDisappearingTimer(ctx, 7*24*time.Hour)
	}},
	{"somebody is blocked by LID, and the other devices are told by what hash", func(ctx context.Context, w *world) error {
		before := w.byQR.mark()
		if err := w.wanda.do(ctx, "POST", "/block", map[string]any{"contact": w.greta.number}, nil); err != nil {
			return err
		}
		told, err := event(ctx, w.byQR, before, "the block", func(b *events.Blocklist) bool {
			return len(b.Changes) == 1 && b.Changes[0].JID.User == w.greta.LID.User && b.Changes[0].Action == events.BlocklistChangeActionBlock
		})
		if err != nil {
			return err
		}
		list, err := w.byQR.UpdateBlocklist(ctx, w.greta.LID, events.BlocklistChangeActionUnblock)
		return first(err, same("who is blocked", len(list.JIDs), 0), same("the hash before", told.PrevDHash, list.DHash))
	}},
	{"somebody is blocked and let in again", func(ctx context.Context, w *world) error {
		for _, change := range []struct {
			action events.BlocklistChangeAction
			length int
		}{{events.BlocklistChangeActionBlock, 1}, {events.BlocklistChangeActionUnblock, 0}} {
			if _, err := w.byQR.UpdateBlocklist(ctx, w.greta.JID, change.action); err != nil {
				return err
			}
			list, err := w.byQR.GetBlocklist(ctx)
			if err = first(err, same("who is blocked", len(list.JIDs), change.length)); err != nil {
				return err
			}
		}
		return nil
	}},
	{"a status reaches the contacts, at their phones and at the gateway", func(ctx context.Context, w *world) error {
		lists, err := w.byQR.GetStatusPrivacy(ctx)
		if err = first(err, same("who sees it", lists[0].Type, types.StatusPrivacyTypeContacts)); err != nil {
			return err
		}
		for _, contact := range []*phone{w.paula, w.greta} {
			err = heard(ctx, w.byQR, w.wanda, "contact", map[string]any{"contact": contact.number, "fullName": contact.name}, func(e *events.Contact) bool {
				return e.Action.GetFullName() == contact.name
			})
			if err != nil {
				return err
			}
		}
		id, err := w.byQR.sendText(ctx, types.StatusBroadcastJID, "fresh bread")
		if err != nil {
			return err
		}
		got, err := w.paula.byID(ctx, id)
		if err = first(err, same("the text", got.Text, "fresh bread"), same("the chat", got.Chat, types.StatusBroadcastJID.String())); err != nil {
			return err
		}
		// whatsmeow looks for the message's id where the server does not write it for a status (its issue 1270).
		_, err = event(ctx, w.byQR, 0, "that the status was delivered", func(r *events.Receipt) bool {
			return r.Chat == types.StatusBroadcastJID && r.Sender.Server == types.HiddenUserServer && r.Type == types.ReceiptTypeDelivered
		})
		if err != nil {
			return err
		}
		there, err := w.gateway.received(ctx, id)
		if err = first(err, same("the chat at the gateway", there.ChatJID, types.StatusBroadcastJID.String()), same("the text", there.Content, "fresh bread")); err != nil {
			return err
		}
		// The gateway's reaction goes to the chat of stories, encrypted for each of the author's devices.
		liked, err := w.gateway.send(ctx, "/stories/"+id+"/reaction", map[string]any{"reaction": "💚"})
		if err != nil {
			return err
		}
		reaction, err := w.byQR.message(ctx, liked)
		if err != nil {
			return err
		}
		about := reaction.Message.GetReactionMessage()
		return first(
			same("the reaction", about.GetText(), "💚"),
			same("the story", about.GetKey().GetID(), id),
			same("its chat", reaction.Info.Chat, types.StatusBroadcastJID),
		)
	}},
	{"stories of the gateway arrive, the later ones by the key of the first", func(ctx context.Context, w *world) error {
		for _, text := range []string{"Open", "Still open", "Open until ten"} {
			id, err := w.gateway.send(ctx, "/status/text", map[string]any{"text": text, "audience": []string{w.wanda.number}})
			if err != nil {
				return err
			}
			// whatsmeow tells of the key that comes beside the first one as of a message too.
			got, err := event(ctx, w.byQR, 0, "the story", func(m *events.Message) bool {
				return m.Info.ID == id && m.Message.GetExtendedTextMessage().GetText() == text
			})
			if err != nil {
				return err
			}
			if err = same("the chat", got.Info.Chat, types.StatusBroadcastJID); err != nil {
				return err
			}
		}
		return nil
	}},
	{"a channel is made, found, followed, muted, written in, looked at, reacted to and left", func(ctx context.Context, w *world) error {
		made, err := w.byQR.CreateNewsletter(ctx, whatsmeow.CreateNewsletterParams{Name: "Prices", Description: "of the day"})
		if err = first(err, same("the name", made.ThreadMeta.Name.Text, "Prices")); err != nil {
			return err
		}
		found, err := w.byCode.GetNewsletterInfoWithInvite(ctx, made.ThreadMeta.InviteCode)
		if err = first(err, same("the channel", found.ID, made.ID)); err != nil {
			return err
		}
		for _, step := range []func() error{
			func() error { return w.byCode.FollowNewsletter(ctx, made.ID) },
			func() error { return w.byCode.NewsletterToggleMute(ctx, made.ID, true) },
		} {
			if err = step(); err != nil {
				return err
			}
		}
		info, err := w.byCode.GetNewsletterInfo(ctx, made.ID)
		if err = first(err, same("the role", info.ViewerMeta.Role, types.NewsletterRoleSubscriber), same("muted", info.ViewerMeta.Mute, types.NewsletterMuteOn)); err != nil {
			return err
		}
		sent, err := w.byQR.SendMessage(ctx, made.ID, &waE2E.Message{Conversation: proto.String("Hats, half price")})
		if err != nil {
			return err
		}
		if err = w.byCode.NewsletterMarkViewed(ctx, made.ID, []types.MessageServerID{sent.ServerID}); err != nil {
			return err
		}
		if err = w.byCode.NewsletterSendReaction(ctx, made.ID, sent.ServerID, "👍", ""); err != nil {
			return err
		}
		posts, err := w.byCode.GetNewsletterMessages(ctx, made.ID, &whatsmeow.GetNewsletterMessagesParams{Count: 10})
		if err = first(err, same("posts", len(posts), 1)); err != nil {
			return err
		}
		post := posts[0]
		if err = first(nil,
			same("the number of the post", post.MessageServerID, sent.ServerID),
			same("its id", post.MessageID, sent.ID),
			same("its text", post.Message.GetConversation(), "Hats, half price"),
			same("its views", post.ViewsCount, 1),
			same("its reactions", post.ReactionCounts["👍"], 1)); err != nil {
			return err
		}
		if err = w.byCode.UnfollowNewsletter(ctx, made.ID); err != nil {
			return err
		}
		all, err := w.byCode.GetSubscribedNewsletters(ctx)
		return first(err, same("channels", len(all), 0))
	}},
}

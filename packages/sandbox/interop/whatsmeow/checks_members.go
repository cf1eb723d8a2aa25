package main

import (
	"context"
	"fmt"
	"net/url"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

// unauthorized fails unless who is no admin gets no invite link.
func unauthorized(ctx context.Context, w *world, g *groupWorld) error {
	_, err := w.byCode.GetGroupInviteLink(ctx, g.own, false)
	return refused(err, whatsmeow.ErrGroupInviteLinkUnauthorized)
}

// memberChecks are about who is in a group, who may do what, and how others come in.
func memberChecks(g *groupWorld) []check {
	return []check{
		{"members are removed, added, promoted and demoted", func(ctx context.Context, w *world) error {
			for _, change := range []struct {
				as   whatsmeow.ParticipantChange
				told func(*events.GroupInfo) []types.JID
			}{
				{whatsmeow.ParticipantChangeRemove, func(c *events.GroupInfo) []types.JID { return c.Leave }},
				{whatsmeow.ParticipantChangeAdd, func(c *events.GroupInfo) []types.JID { return c.Join }},
				{whatsmeow.ParticipantChangePromote, func(c *events.GroupInfo) []types.JID { return c.Promote }},
				{whatsmeow.ParticipantChangeDemote, func(c *events.GroupInfo) []types.JID { return c.Demote }},
			} {
				before := w.byCode.mark()
				result, err := w.byQR.UpdateGroupParticipants(ctx, g.own, []types.JID{w.paula.LID}, change.as)
				if err != nil {
					return fmt.Errorf("%s: %w", change.as, err)
				}
				if err = first(same("the results", len(result), 1), same("the error", result[0].Error, 0)); err != nil {
					return fmt.Errorf("%s: %w", change.as, err)
				}
				err = w.byCode.changed(ctx, g.own, before, string(change.as), func(c *events.GroupInfo) bool {
					return contains(change.told(c), w.paula.LID) && c.ParticipantVersionID != c.PrevParticipantVersionID
				})
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"who is a member already, and who is nobody, is said for each", func(ctx context.Context, w *world) error {
			nobody := types.NewJID("5511900000000", types.DefaultUserServer)
			result, err := w.byQR.UpdateGroupParticipants(ctx, g.own, []types.JID{w.paula.LID, nobody}, whatsmeow.ParticipantChangeAdd)
			if err != nil {
				return err
			}
			return first(same("results", len(result), 2), same("a member", result[0].Error, 409), same("nobody", result[1].Error, 404))
		}},
		{"who is no admin is refused", func(ctx context.Context, w *world) error {
			_, err := w.byCode.UpdateGroupParticipants(ctx, g.own, []types.JID{w.paula.LID}, whatsmeow.ParticipantChangeRemove)
			if err = refused(err, whatsmeow.ErrIQForbidden); err != nil {
				return err
			}
			return refused(w.byCode.SetGroupAnnounce(ctx, g.own, true), whatsmeow.ErrIQForbidden)
		}},
		{"a text into a group that only announces is refused", func(ctx context.Context, w *world) error {
			if err := w.byQR.SetGroupAnnounce(ctx, g.own, true); err != nil {
				return err
			}
			_, err := w.byCode.sendText(ctx, g.own, "not allowed")
			return first(refused(err, whatsmeow.ErrServerReturnedError), w.byQR.SetGroupAnnounce(ctx, g.own, false))
		}},
		{"a group that is none, and one of others, are refused", func(ctx context.Context, w *world) error {
			_, err := w.byQR.GetGroupInfo(ctx, types.NewJID("120363000000000001", types.GroupServer))
			if err = refused(err, whatsmeow.ErrGroupNotFound); err != nil {
				return err
			}
			var made struct {
				JID string `json:"jid"`
			}
			body := map[string]any{"by": w.paula.number, "subject": "Paula's", "members": []string{w.walter.number}}
			if err = w.control.call(ctx, "POST", "/groups", body, &made); err != nil {
				return err
			}
			if g.ofPaula, err = types.ParseJID(made.JID); err != nil {
				return err
			}
			_, err = w.byQR.GetGroupInfo(ctx, g.ofPaula)
			return refused(err, whatsmeow.ErrNotInGroup)
		}},
		{"changes by a phone are told", func(ctx context.Context, w *world) error {
			before := w.byCode.mark()
			change := map[string]any{"subject": "Paula's bakery", "announcement": true, "ephemeral": 604800}
			if err := w.patch(ctx, w.paula, g.ofPaula, change); err != nil {
				return err
			}
			return first(
				w.byCode.changed(ctx, g.ofPaula, before, "the subject", func(c *events.GroupInfo) bool { return c.Name != nil && c.Name.Name == "Paula's bakery" }),
				w.byCode.changed(ctx, g.ofPaula, before, "announcing", func(c *events.GroupInfo) bool { return c.Announce != nil && c.Announce.IsAnnounce }),
				w.byCode.changed(ctx, g.ofPaula, before, "the timer", func(c *events.GroupInfo) bool { return c.Ephemeral != nil && c.Ephemeral.DisappearingTimer == 604800 }),
			)
		}},
		{"an invite link is made, looked at, and made anew", func(ctx context.Context, w *world) error {
			link, err := w.byQR.GetGroupInviteLink(ctx, g.own, false)
			if err != nil {
				return err
			}
			seen, err := w.byQR.GetGroupInfoFromLink(ctx, link)
			if err = first(err, same("the group", seen.JID, g.own)); err != nil {
				return err
			}
			if g.link, err = w.byQR.GetGroupInviteLink(ctx, g.own, true); err != nil {
				return err
			}
			_, err = w.byQR.GetGroupInfoFromLink(ctx, link)
			if err = refused(err, whatsmeow.ErrInviteLinkRevoked); err != nil {
				return err
			}
			_, err = w.byCode.GetGroupInfoFromLink(ctx, "AAAAAAAAAAAAAAAAAAAAAA")
			return first(refused(err, whatsmeow.ErrInviteLinkInvalid), unauthorized(ctx, w, g))
		}},
		{"somebody leaves and comes back by the link", func(ctx context.Context, w *world) error {
			before := w.byQR.mark()
			if err := w.byCode.LeaveGroup(ctx, g.own); err != nil {
				return err
			}
			err := w.byQR.changed(ctx, g.own, before, "who left", func(c *events.GroupInfo) bool { return contains(c.Leave, w.walter.LID) })
			if err != nil {
				return err
			}
			joined, err := w.byCode.JoinGroupWithLink(ctx, g.link)
			if err = first(err, same("the group", joined, g.own)); err != nil {
				return err
			}
			return w.byQR.changed(ctx, g.own, before, "who came back", func(c *events.GroupInfo) bool {
				return contains(c.Join, w.walter.LID) && c.JoinReason == "invite"
			})
		}},
		{"who joins by link waits for an admin where the group asks for it", func(ctx context.Context, w *world) error {
			if err := first(w.byCode.LeaveGroup(ctx, g.own), w.byQR.SetGroupJoinApprovalMode(ctx, g.own, true)); err != nil {
				return err
			}
			ask := func() error {
				asked, err := w.byCode.JoinGroupWithLink(ctx, g.link)
				if err = first(err, same("the group", asked, g.own)); err != nil {
					return err
				}
				waiting, err := w.byQR.GetGroupRequestParticipants(ctx, g.own)
				if err = first(err, same("who waits", len(waiting), 1)); err != nil {
					return err
				}
				_, err = w.byCode.GetGroupInfo(ctx, g.own)
				return first(same("who waits", waiting[0].JID, w.walter.LID), refused(err, whatsmeow.ErrNotInGroup))
			}
			if err := ask(); err != nil {
				return err
			}
			if _, err := w.byQR.UpdateGroupRequestParticipants(ctx, g.own, []types.JID{w.walter.LID}, whatsmeow.ParticipantChangeReject); err != nil {
				return err
			}
			if err := ask(); err != nil {
				return err
			}
			before := w.byCode.mark()
			if _, err := w.byQR.UpdateGroupRequestParticipants(ctx, g.own, []types.JID{w.walter.LID}, whatsmeow.ParticipantChangeApprove); err != nil {
				return err
			}
			if _, err := event(ctx, w.byCode, before, "that it was let in", func(j *events.JoinedGroup) bool { return j.JID == g.own }); err != nil {
				return err
			}
			return w.byQR.SetGroupJoinApprovalMode(ctx, g.own, false)
		}},
		{"who cannot be added is invited, and joins by the invitation", func(ctx context.Context, w *world) error {
			privacy := map[string]any{"category": "groupadd", "value": "none"}
			if err := w.paula.do(ctx, "POST", "/privacy", privacy, nil); err != nil {
				return err
			}
			_, err := w.byQR.UpdateGroupParticipants(ctx, g.own, []types.JID{w.paula.LID}, whatsmeow.ParticipantChangeRemove)
			if err != nil {
				return err
			}
			result, err := w.byQR.UpdateGroupParticipants(ctx, g.own, []types.JID{w.paula.LID}, whatsmeow.ParticipantChangeAdd)
			if err != nil {
				return err
			}
			if err = first(same("the error", result[0].Error, 403), same("an invitation", result[0].AddRequest != nil, true)); err != nil {
				return err
			}
			before := w.byQR.mark()
			accept := map[string]any{
				"by": w.paula.number, "code": result[0].AddRequest.Code,
				"expiration": result[0].AddRequest.Expiration.Unix(), "admin": w.wanda.LID.String(),
			}
			if err = w.control.call(ctx, "POST", "/groups/"+url.PathEscape(g.own.String())+"/accept", accept, nil); err != nil {
				return err
			}
			privacy["value"] = "all"
			return first(
				w.byQR.changed(ctx, g.own, before, "who accepted", func(c *events.GroupInfo) bool { return contains(c.Join, w.paula.LID) }),
				w.paula.do(ctx, "POST", "/privacy", privacy, nil),
			)
		}},
		{"the gateway joins by link, where it asks first as well", func(ctx context.Context, w *world) error {
			made, err := w.byQR.CreateGroup(ctx, whatsmeow.ReqCreateGroup{Name: "Joined by the gateway"})
			if err != nil {
				return err
			}
			link, err := w.byQR.GetGroupInviteLink(ctx, made.JID, false)
			if err != nil {
				return err
			}
			join := func(pending bool) error {
				var joined struct {
					GroupJID string `json:"group_jid"`
					Pending  bool   `json:"pending_approval"`
				}
				err := w.gateway.call(ctx, "POST", "/groups/join", map[string]any{"link": link}, &joined)
				return first(err, same("the group", joined.GroupJID, made.JID.String()), same("pending", joined.Pending, pending))
			}
			before := w.byQR.mark()
			come := func() error {
				return w.byQR.changed(ctx, made.JID, before, "who came", func(c *events.GroupInfo) bool { return contains(c.Join, w.greta.LID) })
			}
			if err = first(join(false), come()); err != nil {
				return err
			}
			leave := map[string]any{"by": w.greta.number}
			if err = w.control.call(ctx, "POST", "/groups/"+url.PathEscape(made.JID.String())+"/leave", leave, nil); err != nil {
				return err
			}
			if err = first(w.byQR.SetGroupJoinApprovalMode(ctx, made.JID, true), join(true)); err != nil {
				return err
			}
			waiting, err := w.byQR.GetGroupRequestParticipants(ctx, made.JID)
			if err = first(err, same("who waits", len(waiting), 1)); err != nil {
				return err
			}
			before = w.byQR.mark()
			_, err = w.byQR.UpdateGroupRequestParticipants(ctx, made.JID, []types.JID{waiting[0].JID}, whatsmeow.ParticipantChangeApprove)
			return first(err, come())
		}},
		{"the groups that one is in are listed", func(ctx context.Context, w *world) error {
			all, err := w.byCode.GetJoinedGroups(ctx)
			if err != nil {
				return err
			}
			names := map[types.JID]string{}
			for _, each := range all {
				names[each.JID] = each.Name
			}
			return first(same("one's own", names[g.own], "Bread and butter"), same("another's", names[g.ofPaula], "Paula's bakery"))
		}},
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

// groupWorld is the groups that the checks of the chapter share, in their order.
type groupWorld struct {
	own, ofPaula, community, child types.JID
	link                           string
}

// changed waits until whatsmeow is told of a change of the group.
func (d *device) changed(ctx context.Context, group types.JID, from int, what string, so func(*events.GroupInfo) bool) error {
	_, err := event(ctx, d, from, what, func(g *events.GroupInfo) bool { return g.JID == group && so(g) })
	return err
}

// patch changes a group by a phone.
func (w *world) patch(ctx context.Context, by *phone, group types.JID, change map[string]any) error {
	change["by"] = by.number
	return w.control.call(ctx, "PATCH", "/groups/"+url.PathEscape(group.String()), change, nil)
}

// refused fails unless the server refused with the error.
func refused(err, with error) error {
	if errors.Is(err, with) {
		return nil
	}
	return fmt.Errorf("not refused with %v but %v", with, err)
}

func groupChecks() []check {
	g := &groupWorld{}
	settings := func(name string, set func(context.Context, *device, types.JID, bool) error, is func(*types.GroupInfo) bool) check {
		return check{name + " is switched on and off, and everybody is told", func(ctx context.Context, w *world) error {
			for _, on := range []bool{true, false} {
				before := w.byCode.mark()
				if err := set(ctx, w.byQR, g.own, on); err != nil {
					return err
				}
				info, err := w.byQR.GetGroupInfo(ctx, g.own)
				if err = first(err, same(name, is(info), on)); err != nil {
					return err
				}
				if err = w.byCode.changed(ctx, g.own, before, name, func(*events.GroupInfo) bool { return true }); err != nil {
					return err
				}
			}
			return nil
		}}
	}
	return []check{
		{"a group is made", func(ctx context.Context, w *world) error {
			before := w.byCode.mark()
			made, err := w.byQR.CreateGroup(ctx, whatsmeow.ReqCreateGroup{
				Name: "Bread", Participants: []types.JID{w.walter.JID, w.paula.JID, w.greta.JID},
			})
			if err != nil {
				return err
			}
			g.own = made.JID
			joined, err := event(ctx, w.byCode, before, "the group", func(j *events.JoinedGroup) bool { return j.JID == g.own })
			if err != nil {
				return err
			}
			return first(
				same("the subject", made.Name, "Bread"),
				same("the members", len(made.Participants), 4),
				same("the owner", made.OwnerJID.User, w.wanda.LID.User),
				same("the subject as told", joined.Name, "Bread"),
			)
		}},
		{"texts in a group reach everybody", func(ctx context.Context, w *world) error {
			id, err := w.byQR.sendText(ctx, g.own, "to all")
			if err != nil {
				return err
			}
			if _, err = w.byCode.message(ctx, id); err != nil {
				return err
			}
			if _, err = w.paula.byID(ctx, id); err != nil {
				return err
			}
			got, err := w.gateway.received(ctx, id)
			if err = first(err, same("the chat", got.ChatJID, g.own.String()), same("a group", got.IsGroup, true)); err != nil {
				return err
			}
			_, err = w.byQR.receipt(ctx, id, types.ReceiptTypeDelivered)
			return err
		}},
		{"texts in a group arrive from a phone and from the gateway", func(ctx context.Context, w *world) error {
			id, err := w.paula.sendText(ctx, g.own.String(), "from the phone")
			if err != nil {
				return err
			}
			got, err := w.byQR.message(ctx, id)
			if err = first(err, same("the sender", got.Info.Sender.User, w.paula.LID.User), same("the chat", got.Info.Chat, g.own)); err != nil {
				return err
			}
			id, err = w.gateway.send(ctx, "/send/text", map[string]any{"to": g.own.String(), "text": "from the gateway"})
			if err != nil {
				return err
			}
			for _, d := range []*device{w.byQR, w.byCode} {
				if _, err = d.message(ctx, id); err != nil {
					return err
				}
			}
			return nil
		}},
		{"a group text to a device that lost the sender key comes again", func(ctx context.Context, w *world) error {
			if err := w.byQR.lostSenderKeys(ctx); err != nil {
				return err
			}
			id, err := w.paula.sendText(ctx, g.own.String(), "under a lost key")
			if err != nil {
				return err
			}
			if _, err = w.byQR.message(ctx, id); err != nil {
				return err
			}
			id, err = w.gateway.send(ctx, "/send/text", map[string]any{"to": g.own.String(), "text": "and of the gateway"})
			if err != nil {
				return err
			}
			_, err = w.byQR.message(ctx, id)
			return err
		}},
		{"a group text that a phone cannot open comes again", func(ctx context.Context, w *world) error {
			id, err := w.paula.send(ctx, g.own.String(), map[string]any{"text": "once more", "corrupt": true})
			if err != nil {
				return err
			}
			if _, err = w.byQR.message(ctx, id); err != nil {
				return err
			}
			_, err = w.gateway.received(ctx, id)
			return err
		}},
		{"the name and the description change, and everybody is told", func(ctx context.Context, w *world) error {
			before := w.byCode.mark()
			if err := w.byQR.SetGroupName(ctx, g.own, "Bread and butter"); err != nil {
				return err
			}
			if err := w.byCode.changed(ctx, g.own, before, "the name", func(c *events.GroupInfo) bool { return c.Name != nil && c.Name.Name == "Bread and butter" }); err != nil {
				return err
			}
			if err := w.byQR.SetGroupTopic(ctx, g.own, "", "", "what we buy"); err != nil {
				return err
			}
			if err := w.byCode.changed(ctx, g.own, before, "the description", func(c *events.GroupInfo) bool { return c.Topic != nil && c.Topic.Topic == "what we buy" }); err != nil {
				return err
			}
			if err := w.byQR.SetGroupDescription(ctx, g.own, "what we buy today"); err != nil {
				return err
			}
			info, err := w.byQR.GetGroupInfo(ctx, g.own)
			if err = first(err, same("the name", info.Name, "Bread and butter"), same("the description", info.Topic, "what we buy today")); err != nil {
				return err
			}
			if err = w.byQR.SetGroupTopic(ctx, g.own, "", "", ""); err != nil {
				return err
			}
			return w.byCode.changed(ctx, g.own, before, "the end of the description", func(c *events.GroupInfo) bool { return c.Topic != nil && c.Topic.TopicDeleted })
		}},
		settings("announcing", func(ctx context.Context, d *device, j types.JID, on bool) error {
			return d.SetGroupAnnounce(ctx, j, on)
		},
			func(i *types.GroupInfo) bool { return i.IsAnnounce }),
		settings("locking", func(ctx context.Context, d *device, j types.JID, on bool) error { return d.SetGroupLocked(ctx, j, on) },
			func(i *types.GroupInfo) bool { return i.IsLocked }),
		settings("approval of those who join", func(ctx context.Context, d *device, j types.JID, on bool) error {
			return d.SetGroupJoinApprovalMode(ctx, j, on)
		}, func(i *types.GroupInfo) bool { return i.IsJoinApprovalRequired }),
		settings("adding by admins alone", func(ctx context.Context, d *device, j types.JID, on bool) error {
			mode := types.GroupMemberAddModeAllMember
			if on {
				mode = types.GroupMemberAddModeAdmin
			}
			return d.SetGroupMemberAddMode(ctx, j, mode)
		}, func(i *types.GroupInfo) bool { return i.MemberAddMode == types.GroupMemberAddModeAdmin }),
		settings("disappearing", func(ctx context.Context, d *device, j types.JID, on bool) error {
			timer := whatsmeow.DisappearingTimerOff
			if on {
				timer = whatsmeow.DisappearingTimer24Hours
			}
			return d.SetDisappearingTimer(ctx, j, timer, now())
		}, func(i *types.GroupInfo) bool { return i.IsEphemeral && i.DisappearingTimer == 86400 }),
		{"each version of the settings and of the members is another one", func(ctx context.Context, w *world) error {
			before := w.byCode.mark()
			for _, on := range []bool{true, false} {
				if err := w.byQR.SetGroupAnnounce(ctx, g.own, on); err != nil {
					return err
				}
			}
			seen := map[string]bool{}
			for _, on := range []bool{true, false} {
				err := w.byCode.changed(ctx, g.own, before, "the setting", func(c *events.GroupInfo) bool {
					if c.Announce == nil || c.Announce.IsAnnounce != on {
						return false
					}
					seen[c.Announce.AnnounceVersionID] = true
					return true
				})
				if err != nil {
					return err
				}
			}
			return first(same("the versions", len(seen), 2), same("an empty one", seen[""], false))
		}},
		{"the picture is set, fetched and removed", func(ctx context.Context, w *world) error {
			before := w.byCode.mark()
			id, err := w.byQR.SetGroupPhoto(ctx, g.own, sampleJPEG())
			if err != nil {
				return err
			}
			told, err := event(ctx, w.byCode, before, "the picture", func(p *events.Picture) bool { return p.JID == g.own })
			if err = first(err, same("the picture", told.PictureID, id), same("its author", told.Author.User, w.wanda.LID.User)); err != nil {
				return err
			}
			if err = w.byCode.fetchPicture(ctx, w, g.own, sampleJPEG()); err != nil {
				return err
			}
			if _, err = w.byQR.SetGroupPhoto(ctx, g.own, nil); err != nil {
				return err
			}
			_, err = w.byCode.GetProfilePictureInfo(ctx, g.own, nil)
			return refused(err, whatsmeow.ErrProfilePictureNotSet)
		}},
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
			return refused(err, whatsmeow.ErrInviteLinkInvalid)
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
		{"a community is made, with a group for its announcements", func(ctx context.Context, w *world) error {
			made, err := w.byQR.CreateGroup(ctx, whatsmeow.ReqCreateGroup{Name: "Market", GroupParent: types.GroupParent{IsParent: true}})
			if err != nil {
				return err
			}
			g.community = made.JID
			if err = first(same("a community", made.IsParent, true), same("its approval", made.DefaultMembershipApprovalMode, "request_required")); err != nil {
				return err
			}
			groups, err := w.byQR.GetSubGroups(ctx, g.community)
			return first(err, same("its groups", len(groups), 1), same("for announcements", groups[0].IsDefaultSubGroup, true))
		}},
		{"a group is linked into the community, its members too, and taken out again", func(ctx context.Context, w *world) error {
			before := w.byCode.mark()
			if err := w.byQR.LinkGroup(ctx, g.community, g.own); err != nil {
				return err
			}
			err := w.byCode.changed(ctx, g.own, before, "the link", func(c *events.GroupInfo) bool { return c.Link != nil && c.Link.Group.JID == g.community })
			if err != nil {
				return err
			}
			info, err := w.byQR.GetGroupInfo(ctx, g.own)
			if err = first(err, same("its community", info.LinkedParentJID, g.community)); err != nil {
				return err
			}
			groups, err := w.byQR.GetSubGroups(ctx, g.community)
			if err = first(err, same("groups", len(groups), 2)); err != nil {
				return err
			}
			members, err := w.byQR.GetLinkedGroupsParticipants(ctx, g.community)
			if err = first(err, same("everybody", len(members), 4)); err != nil {
				return err
			}
			if err = w.byQR.UnlinkGroup(ctx, g.community, g.own); err != nil {
				return err
			}
			return w.byCode.changed(ctx, g.own, before, "the end of the link", func(c *events.GroupInfo) bool { return c.Unlink != nil && c.Unlink.Group.JID == g.community })
		}},
		{"a group is made inside of the community", func(ctx context.Context, w *world) error {
			made, err := w.byQR.CreateGroup(ctx, whatsmeow.ReqCreateGroup{
				Name: "Stalls", Participants: []types.JID{w.walter.LID},
				GroupLinkedParent: types.GroupLinkedParent{LinkedParentJID: g.community},
			})
			if err != nil {
				return err
			}
			g.child = made.JID
			return same("its community", made.LinkedParentJID, g.community)
		}},
		{"who may not change a community is refused", func(ctx context.Context, w *world) error {
			return refused(w.byCode.LinkGroup(ctx, g.community, g.child), whatsmeow.ErrIQForbidden)
		}},
	}
}

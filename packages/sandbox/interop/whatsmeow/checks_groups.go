package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

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
	return slices.Concat(settingChecks(g), memberChecks(g), communityChecks(g))
}

// settingChecks make the group of the chapter, write into it and change it.
func settingChecks(g *groupWorld) []check {
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
	}
}

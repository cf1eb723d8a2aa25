package main

import (
	"context"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

func communityChecks(g *groupWorld) []check {
	return []check{
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

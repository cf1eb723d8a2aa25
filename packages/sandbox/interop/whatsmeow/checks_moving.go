package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.mau.fi/libsignal/serialize"
	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

// move is what the checks of the chapter share, in their order: a device of Wanda's that whatsmeow holds first and the
// gateway then.
type move struct {
	device *device
	// Another of Walter's: the chapters before log their devices out.
	peer  *device
	group types.JID
	// Sent while nobody held the device: to Wanda, and to the group.
	waiting []string
	// With which Walter's session with it began.
	begun []byte
	// The gateway as another tenant, whose device it becomes.
	gateway *gateway
	mark    int
}

// Under which Wanda has Walter in her address book.
const savedName = "Walter, to be moved"

func movingChecks() []check {
	m := &move{}
	return []check{
		{"a device of whatsmeow writes with people and a group", m.live},
		{"it is stopped, and its store is taken over by the gateway", m.over},
		{"what came meanwhile is opened in the sessions that were there", m.meanwhile},
		{"texts go both ways in the session that was there", m.texts},
		{"a session that was not answered goes on as such", m.unanswered},
		{"group texts go both ways", m.groupTexts},
		{"the account's state is there, and its next change applies", m.state},
		{"nobody was asked to send again", m.retries},
	}
}

// live: Walter answers, Greta does not.
func (m *move) live(ctx context.Context, w *world) error {
	for _, each := range []struct {
		made **device
		name string
		of   *phone
	}{{&m.device, "moved", w.wanda}, {&m.peer, "peer", w.walter}} {
		d, err := newDevice(ctx, w, each.name)
		if err != nil {
			return err
		}
		*each.made = d
		if err = d.linkByQR(ctx, each.of); err != nil {
			return err
		}
	}
	d := m.device
	if _, err := event(ctx, d, 0, "the end of the first sync", func(e *events.AppStateSyncComplete) bool { return e.Name == appstate.WAPatchRegularHigh }); err != nil {
		return err
	}
	saved := map[string]any{"contact": w.walter.number, "fullName": savedName}
	if err := heard(ctx, d, w.wanda, "contact", saved, func(e *events.Contact) bool { return e.Action.GetFullName() == savedName }); err != nil {
		return err
	}
	secret := []byte("by which the account begins chats")
	if err := w.wanda.account(ctx, "contact_secret", map[string]any{"secret": secret}); err != nil {
		return err
	}
	if err := until(ctx, "the secret of the account", func() (bool, error) {
		known, err := d.Store.NCTSalt.GetNCTSalt(ctx)
		return bytes.Equal(known, secret), err
	}); err != nil {
		return err
	}
	for round := range 3 {
		if err := m.exchange(ctx, w, fmt.Sprintf("round %d", round)); err != nil {
			return err
		}
	}
	id, err := d.sendText(ctx, w.greta.JID, "are you there?")
	if err != nil {
		return err
	}
	if _, err = w.gateway.received(ctx, id); err != nil {
		return err
	}
	made, err := d.CreateGroup(ctx, whatsmeow.ReqCreateGroup{Name: "Movers", Participants: []types.JID{w.walter.JID, w.paula.JID}})
	if err != nil {
		return err
	}
	m.group = made.JID
	for _, text := range []string{"one", "two"} {
		if id, err = d.sendText(ctx, m.group, text); err != nil {
			return err
		}
		if _, err = m.peer.message(ctx, id); err != nil {
			return err
		}
		if id, err = m.peer.sendText(ctx, m.group, text); err != nil {
			return err
		}
		if _, err = d.message(ctx, id); err != nil {
			return err
		}
		if id, err = w.paula.sendText(ctx, m.group.String(), text); err != nil {
			return err
		}
		if _, err = d.message(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// exchange writes from the device to Walter's and to Paula's phone, and back.
func (m *move) exchange(ctx context.Context, w *world, text string) error {
	id, err := m.device.sendText(ctx, w.walter.JID, text)
	if err != nil {
		return err
	}
	if _, err = m.peer.message(ctx, id); err != nil {
		return err
	}
	if id, err = m.peer.sendText(ctx, w.wanda.LID, text); err != nil {
		return err
	}
	if _, err = m.device.message(ctx, id); err != nil {
		return err
	}
	if id, err = w.paula.sendText(ctx, w.wanda.number, text); err != nil {
		return err
	}
	if _, err = m.device.message(ctx, id); err != nil {
		return err
	}
	if id, err = m.device.sendText(ctx, w.paula.JID, text); err != nil {
		return err
	}
	_, err = w.paula.byID(ctx, id)
	return err
}

func (m *move) over(ctx context.Context, w *world) error {
	if err := w.settled(ctx, m.device.address()); err != nil {
		return err
	}
	m.device.Disconnect()
	if err := m.device.db.Close(); err != nil {
		return err
	}
	for n := range 3 {
		id, err := m.peer.sendText(ctx, w.wanda.LID, fmt.Sprintf("meanwhile %d", n))
		if err != nil {
			return err
		}
		m.waiting = append(m.waiting, id)
	}
	for _, send := range []func() (string, error){
		func() (string, error) { return w.paula.sendText(ctx, w.wanda.number, "meanwhile, from a phone") },
		func() (string, error) { return m.peer.sendText(ctx, m.group, "meanwhile, to all") },
		func() (string, error) {
			return w.paula.sendText(ctx, m.group.String(), "meanwhile, to all, from a phone")
		},
	} {
		id, err := send()
		if err != nil {
			return err
		}
		m.waiting = append(m.waiting, id)
	}
	var err error
	if m.begun, err = m.peer.begunWith(ctx, m.device); err != nil {
		return err
	}
	store, err := os.ReadFile(filepath.Join(w.folder, m.device.name+".db"))
	if err != nil {
		return err
	}
	m.mark = m.peer.mark()
	m.gateway = &gateway{caller: &caller{base: w.gateway.base}}
	return m.gateway.takeOver(ctx, store, m.device.Store.GetJID().String())
}

// begunWith is the key with which the session with another device was begun: with a new session comes a new one.
func (d *device) begunWith(ctx context.Context, other *device) ([]byte, error) {
	sessions, err := d.sessions(ctx)
	if err != nil {
		return nil, err
	}
	address := other.Store.LID.SignalAddress().String()
	stored, found := sessions[address]
	if !found {
		return nil, fmt.Errorf("%s has no session with %s", d.name, address)
	}
	serializer := serialize.NewProtoBufSerializer()
	session, err := record.NewSessionFromBytes(stored, serializer.Session, serializer.State)
	if err != nil {
		return nil, err
	}
	return session.SessionState().SenderBaseKey(), nil
}

func (m *move) sameSession(ctx context.Context, w *world) error {
	begun, err := m.peer.begunWith(ctx, m.device)
	if err == nil && !bytes.Equal(begun, m.begun) {
		err = errors.New("the session was begun anew")
	}
	return err
}

func (m *move) meanwhile(ctx context.Context, w *world) error {
	for _, id := range m.waiting {
		if _, err := m.gateway.received(ctx, id); err != nil {
			return err
		}
	}
	return first(w.settled(ctx, m.device.address()), m.sameSession(ctx, w))
}

func (m *move) texts(ctx context.Context, w *world) error {
	for round := range 2 {
		text := fmt.Sprintf("after the move %d", round)
		id, err := m.gateway.send(ctx, "/send/text", map[string]any{"to": w.walter.number, "text": text})
		if err != nil {
			return err
		}
		got, err := m.peer.message(ctx, id)
		if err = first(err, same("the text", textOf(got.Message), text)); err != nil {
			return err
		}
		if id, err = m.peer.sendText(ctx, w.wanda.LID, text); err != nil {
			return err
		}
		if _, err = m.gateway.received(ctx, id); err != nil {
			return err
		}
		if id, err = m.gateway.send(ctx, "/send/text", map[string]any{"to": w.paula.number, "text": text}); err != nil {
			return err
		}
		shown, err := w.paula.byID(ctx, id)
		if err = first(err, same("sent again", shown.Resent, false)); err != nil {
			return err
		}
		if id, err = w.paula.sendText(ctx, w.wanda.number, text); err != nil {
			return err
		}
		if _, err = m.gateway.received(ctx, id); err != nil {
			return err
		}
	}
	return m.sameSession(ctx, w)
}

func (m *move) unanswered(ctx context.Context, w *world) error {
	id, err := m.gateway.send(ctx, "/send/text", map[string]any{"to": w.greta.number, "text": "still there?"})
	if err != nil {
		return err
	}
	if _, err = w.gateway.received(ctx, id); err != nil {
		return err
	}
	if id, err = w.gateway.send(ctx, "/send/text", map[string]any{"to": w.wanda.number, "text": "now I am"}); err != nil {
		return err
	}
	_, err = m.gateway.received(ctx, id)
	return err
}

func (m *move) groupTexts(ctx context.Context, w *world) error {
	for round := range 2 {
		text := fmt.Sprintf("to all after the move %d", round)
		id, err := m.gateway.send(ctx, "/send/text", map[string]any{"to": m.group.String(), "text": text})
		if err != nil {
			return err
		}
		if _, err = m.peer.message(ctx, id); err != nil {
			return err
		}
		shown, err := w.paula.byID(ctx, id)
		if err = first(err, same("sent again", shown.Resent, false)); err != nil {
			return err
		}
		if id, err = m.peer.sendText(ctx, m.group, text); err != nil {
			return err
		}
		if _, err = m.gateway.received(ctx, id); err != nil {
			return err
		}
		if id, err = w.paula.sendText(ctx, m.group.String(), text); err != nil {
			return err
		}
		if _, err = m.gateway.received(ctx, id); err != nil {
			return err
		}
	}
	return m.sameSession(ctx, w)
}

// state: a name from before the move is known, and a chat is pinned after it.
func (m *move) state(ctx context.Context, w *world) error {
	shows := func(what string, so func(name string, pinned bool) bool) error {
		return until(ctx, "the chat with Walter to be "+what, func() (bool, error) {
			var got struct {
				Chat struct {
					Name   string `json:"name"`
					Pinned bool   `json:"pinned"`
				} `json:"chat"`
			}
			err := m.gateway.call(ctx, "GET", "/chats/"+w.walter.number, nil, &got)
			return so(got.Chat.Name, got.Chat.Pinned), err
		})
	}
	if err := shows("named", func(name string, pinned bool) bool { return name == savedName && !pinned }); err != nil {
		return err
	}
	if err := w.wanda.account(ctx, "pin", map[string]any{"chat": w.walter.number}); err != nil {
		return err
	}
	return shows("pinned", func(name string, pinned bool) bool { return name == savedName && pinned })
}

// isDevice says whether the JID, by LID or by number, is the device's.
func isDevice(jid types.JID, d *device) bool {
	own := d.Store.GetLID()
	return jid.Device == own.Device && (jid.User == own.User || jid.User == d.Store.GetJID().User)
}

func (m *move) retries(ctx context.Context, w *world) error {
	for _, each := range m.peer.since(m.mark) {
		if r, ok := each.(*events.Receipt); ok && r.Type == types.ReceiptTypeRetry && isDevice(r.Sender, m.device) {
			return fmt.Errorf("Walter was asked to send %v again", r.MessageIDs)
		}
		if u, ok := each.(*events.UndecryptableMessage); ok && isDevice(u.Info.Sender, m.device) {
			return fmt.Errorf("Walter could not open %s", u.Info.ID)
		}
	}
	var got struct {
		Receipts []phoneReceipt `json:"receipts"`
	}
	if err := w.paula.do(ctx, "GET", "/receipts", nil, &got); err != nil {
		return err
	}
	for _, each := range got.Receipts {
		asker, err := types.ParseJID(each.FromDevice)
		if err != nil {
			return err
		}
		if each.Type == "retry" && isDevice(asker, m.device) {
			return fmt.Errorf("Paula was asked to send %s again", each.MessageID)
		}
	}
	return nil
}

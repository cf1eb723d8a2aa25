package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"

	"go.mau.fi/whatsmeow/types"
)

// phone is a simulated phone, driven over the sandbox's control API.
type phone struct {
	control *caller
	number  string
	name    string
	JID     types.JID
	LID     types.JID
}

// phoneMessage is a message as a phone keeps it; see phones/inbox.ts of the sandbox.
type phoneMessage struct {
	Position   int             `json:"position"`
	ID         string          `json:"id"`
	Chat       string          `json:"chat"`
	From       string          `json:"from"`
	FromMe     bool            `json:"fromMe"`
	PushName   string          `json:"pushName"`
	Kind       string          `json:"kind"`
	Text       string          `json:"text"`
	EditOf     string          `json:"editOf"`
	RevokeOf   string          `json:"revokeOf"`
	ReactionTo string          `json:"reactionTo"`
	Emoji      string          `json:"emoji"`
	PollVoteOn string          `json:"pollVoteOn"`
	Votes      []string        `json:"votes"`
	Resent     bool            `json:"resent"`
	Message    json.RawMessage `json:"message"`
}

type phoneReceipt struct {
	MessageID  string `json:"messageId"`
	Type       string `json:"type"`
	Chat       string `json:"chat"`
	From       string `json:"from"`
	FromDevice string `json:"fromDevice"`
}

// newPhone opens an account and switches its phone on.
func newPhone(ctx context.Context, control *caller, number, name string) (*phone, error) {
	return newPhoneWith(ctx, control, number, name, nil)
}

// newPhoneWith does it with more than a number and a name.
func newPhoneWith(ctx context.Context, control *caller, number, name string, more map[string]any) (*phone, error) {
	var made struct {
		JID string `json:"jid"`
		LID string `json:"lid"`
	}
	body := map[string]any{"number": number, "name": name}
	maps.Copy(body, more)
	if err := control.call(ctx, "POST", "/phones", body, &made); err != nil {
		return nil, err
	}
	p := &phone{control: control, number: number, name: name}
	var err error
	if p.JID, err = types.ParseJID(made.JID); err != nil {
		return nil, err
	}
	if made.LID != "" {
		p.LID, err = types.ParseJID(made.LID)
	}
	return p, err
}

// do is one operation below /phones/{number}.
func (p *phone) do(ctx context.Context, method, path string, body, answer any) error {
	return p.control.call(ctx, method, "/phones/"+p.number+path, body, answer)
}

// send sends what `message` says (`type`, `text`…) to a number or JID and returns the message's id.
func (p *phone) send(ctx context.Context, to string, message map[string]any) (string, error) {
	body := map[string]any{"to": to}
	for key, value := range message {
		body[key] = value
	}
	var sent struct {
		ID string `json:"id"`
	}
	err := p.do(ctx, "POST", "/send", body, &sent)
	return sent.ID, err
}

func (p *phone) sendText(ctx context.Context, to, text string) (string, error) {
	return p.send(ctx, to, map[string]any{"text": text})
}

// sendToList makes a broadcast list of the members and sends a text to it; returns the list and the message's id.
func (p *phone) sendToList(ctx context.Context, text string, members ...string) (list, id string, err error) {
	var made struct {
		JID string `json:"jid"`
	}
	if err = p.do(ctx, "POST", "/broadcast-lists", map[string]any{"members": members}, &made); err != nil {
		return "", "", err
	}
	id, err = p.sendText(ctx, made.JID, text)
	return made.JID, id, err
}

func (p *phone) inbox(ctx context.Context) ([]phoneMessage, error) {
	var got struct {
		Messages []phoneMessage `json:"messages"`
	}
	err := p.do(ctx, "GET", "/inbox", nil, &got)
	return got.Messages, err
}

// message waits for one that came in and fits.
func (p *phone) message(ctx context.Context, what string, fits func(phoneMessage) bool) (phoneMessage, error) {
	var found phoneMessage
	err := until(ctx, what+" at the phone of "+p.name, func() (bool, error) {
		all, err := p.inbox(ctx)
		for _, each := range all {
			if fits(each) {
				found = each
				return true, nil
			}
		}
		return false, err
	})
	return found, err
}

func (p *phone) byID(ctx context.Context, id string) (phoneMessage, error) {
	return p.message(ctx, "message "+id, func(m phoneMessage) bool { return m.ID == id })
}

// receipt waits for one that came in.
func (p *phone) receipt(ctx context.Context, id, kind string) (phoneReceipt, error) {
	var found phoneReceipt
	err := until(ctx, fmt.Sprintf("a receipt %s for %s at the phone of %s", kind, id, p.name), func() (bool, error) {
		var got struct {
			Receipts []phoneReceipt `json:"receipts"`
		}
		err := p.do(ctx, "GET", "/receipts", nil, &got)
		for _, each := range got.Receipts {
			if each.MessageID == id && each.Type == kind {
				found = each
				return true, nil
			}
		}
		return false, err
	})
	return found, err
}

// conversationMessage is a message after its edits, revokes and reactions.
type conversationMessage struct {
	ID        string            `json:"id"`
	Text      string            `json:"text"`
	Edited    bool              `json:"edited"`
	Revoked   bool              `json:"revoked"`
	Reactions map[string]string `json:"reactions"`
}

// shown waits until the phone shows the message of a chat so.
func (p *phone) shown(ctx context.Context, chat types.JID, id, what string, so func(conversationMessage) bool) error {
	return until(ctx, fmt.Sprintf("message %s to be %s at the phone of %s", id, what, p.name), func() (bool, error) {
		var got struct {
			Messages []conversationMessage `json:"messages"`
		}
		err := p.do(ctx, "GET", "/conversations/"+url.PathEscape(chat.String()), nil, &got)
		for _, each := range got.Messages {
			if each.ID == id {
				return so(each), err
			}
		}
		return false, err
	})
}

// file is the decrypted file of a message that came in.
func (p *phone) file(ctx context.Context, id string) ([]byte, error) {
	var got struct {
		Base64 []byte `json:"base64"`
	}
	err := p.do(ctx, "GET", "/media/"+url.PathEscape(id), nil, &got)
	return got.Base64, err
}

package main

import (
	"context"
	"errors"
	"fmt"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types/events"
)

// Accounts for which the server wants a passkey before it links a device.
var passkeyChecks = []check{
	{"whatsmeow links by QR where a passkey is needed", func(ctx context.Context, w *world) error {
		return linkByPasskey(ctx, w, "5511988880071", func(d *device, _ *phone) (string, map[string]any, error) {
			qr, err := event(ctx, d, 0, "a QR code", any1[*events.QR])
			if err != nil {
				return "", nil, err
			}
			return "/scan", map[string]any{"qr": qr.Codes[0]}, nil
		})
	}},
	{"whatsmeow links by code where a passkey is needed", func(ctx context.Context, w *world) error {
		return linkByPasskey(ctx, w, "5511988880072", func(d *device, p *phone) (string, map[string]any, error) {
			if _, err := event(ctx, d, 0, "a QR code", any1[*events.QR]); err != nil {
				return "", nil, err
			}
			code, err := d.PairPhone(ctx, p.number, true, whatsmeow.PairClientChrome, "Chrome (Linux)")
			return "/paircode", map[string]any{"code": code}, err
		})
	}},
	{"a passkey of somebody else is refused", func(ctx context.Context, w *world) error {
		p, d, err := passkeyPhone(ctx, w, "5511988880073")
		if err != nil {
			return err
		}
		qr, err := event(ctx, d, 0, "a QR code", any1[*events.QR])
		if err != nil {
			return err
		}
		// Its end is the one of the connection, below.
		go func() { _ = p.do(ctx, "POST", "/scan", map[string]any{"qr": qr.Codes[0]}, nil) }()
		other, err := newAuthenticator()
		if err != nil {
			return err
		}
		err = d.answerPasskey(ctx, other)
		d.Disconnect()
		if !errors.Is(err, whatsmeow.ErrIQForbidden) {
			return fmt.Errorf("it was answered by: %v", err)
		}
		return nil
	}},
}

// passkeyPhone is a new phone whose account needs a passkey, and a device that wants to be linked to it.
func passkeyPhone(ctx context.Context, w *world, number string) (*phone, *device, error) {
	p, err := newPhoneWith(ctx, w.control, number, "Petra", map[string]any{"passkey": "required"})
	if err != nil {
		return nil, nil, err
	}
	d, err := newDevice(ctx, w, "passkey-"+number)
	if err != nil {
		return nil, nil, err
	}
	return p, d, d.Connect()
}

// linkByPasskey links a device that `ask` asks for with the passkey of its account, and compares the codes.
func linkByPasskey(ctx context.Context, w *world, number string, ask func(*device, *phone) (string, map[string]any, error)) error {
	p, d, err := passkeyPhone(ctx, w, number)
	if err != nil {
		return err
	}
	key, err := newAuthenticator()
	if err != nil {
		return err
	}
	if err = key.register(ctx, p); err != nil {
		return err
	}
	path, body, err := ask(d, p)
	if err != nil {
		return err
	}
	linked := make(chan error, 1)
	go func() { linked <- d.linked(ctx, p, path, body) }()
	if err = d.answerPasskey(ctx, key); err != nil {
		return err
	}
	confirmation, err := event(ctx, d, 0, "the code", any1[*events.PairPasskeyConfirmation])
	if err != nil {
		return err
	}
	var shown struct {
		Code   string `json:"code"`
		Proved bool   `json:"proved"`
	}
	if err = p.do(ctx, "GET", "/passkey/code", nil, &shown); err != nil {
		return err
	}
	if err = d.SendPasskeyConfirmation(ctx); err != nil {
		return err
	}
	return first(
		<-linked,
		same("the code on the phone", shown.Code, confirmation.Code),
		same("the proof of the secret that the phone has read", shown.Proved, confirmation.SkipHandoffUX),
	)
}

// answerPasskey waits for the demand and answers it.
func (d *device) answerPasskey(ctx context.Context, key *authenticator) error {
	request, err := event(ctx, d, 0, "the demand for a passkey", any1[*events.PairPasskeyRequest])
	if err != nil {
		return err
	}
	response, err := key.sign(request.PublicKey)
	if err != nil {
		return err
	}
	return d.SendPasskeyResponse(ctx, response)
}

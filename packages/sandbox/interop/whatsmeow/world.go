package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
)

// world is what the checks share: people with phones, devices linked to them, and a gateway.
type world struct {
	network *network
	control *caller
	gateway *gateway
	folder  string
	devices []*device

	// Wanda and Walter have whatsmeow linked, Paula has only her phone, Greta's device is the gateway's.
	wanda, walter, paula, greta *phone
	// Linked by QR and by code.
	byQR, byCode *device
}

func newWorld(ctx context.Context, debug bool) (*world, error) {
	net, err := newNetwork(os.Getenv("SANDBOX_URL"), os.Getenv("SANDBOX_ROOT_KEY"), os.Getenv("SANDBOX_CA_FILE"))
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "wuts-whatsmeow-")
	if err != nil {
		return nil, err
	}
	w := &world{network: net, folder: folder, control: &caller{base: os.Getenv("SANDBOX_CONTROL_URL")}}
	people := []struct {
		to           **phone
		number, name string
	}{
		{&w.wanda, "5511988880001", "Wanda"},
		{&w.walter, "5511988880002", "Walter"},
		{&w.paula, "5511988880003", "Paula"},
		{&w.greta, "5511988880004", "Greta"},
	}
	for _, person := range people {
		if *person.to, err = newPhone(ctx, w.control, person.number, person.name); err != nil {
			return nil, fmt.Errorf("no phone for %s: %w", person.name, err)
		}
	}
	// A business has labels; the phone says so when the gateway's device is linked.
	if err = w.greta.do(ctx, "POST", "/business", map[string]any{"name": "Greta's shop"}, nil); err != nil {
		return nil, err
	}
	if w.byQR, err = newDevice(ctx, w, "byQR"); err != nil {
		return nil, err
	}
	if w.byCode, err = newDevice(ctx, w, "byCode"); err != nil {
		return nil, err
	}
	w.byQR.log.all = debug
	w.byCode.log.all = debug
	w.gateway = &gateway{caller: &caller{base: os.Getenv("GATEWAY_URL")}}
	return w, nil
}

func (w *world) close() {
	for _, d := range w.devices {
		d.Disconnect()
	}
	_ = os.RemoveAll(w.folder)
}

// settled waits until nothing is kept for the device any more: it acknowledged all that it got.
func (w *world) settled(ctx context.Context, address string) error {
	return until(ctx, "everything to be acknowledged by "+address, func() (bool, error) {
		var shown struct {
			Pending int `json:"pending"`
		}
		err := w.control.call(ctx, "GET", "/devices/"+url.PathEscape(address), nil, &shown)
		return shown.Pending == 0, err
	})
}

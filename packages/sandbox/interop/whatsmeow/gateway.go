package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
)

// gateway is a caller of the gateway's public API, with one device linked to Greta's phone.
type gateway struct {
	*caller
	device string
	// address is the device's JID, by phone number.
	address string
}

// gatewayEvent is one of `GET /events`.
type gatewayEvent struct {
	Event string          `json:"event"`
	Data  json.RawMessage `json:"data"`
}

// messageData is what the checks look at in the data of a message event.
type messageData struct {
	MessageID   string `json:"message_id"`
	ChatJID     string `json:"chat_jid"`
	MessageType string `json:"message_type"`
	Content     string `json:"content"`
	IsFromMe    bool   `json:"is_from_me"`
	IsGroup     bool   `json:"is_group"`
	ServerID    int    `json:"server_id"`
	Sender      struct {
		JID         string `json:"jid"`
		LID         string `json:"lid"`
		PhoneNumber string `json:"phone_number"`
		PushName    string `json:"push_name"`
	} `json:"sender"`
}

// register makes a tenant with a device.
func (g *gateway) register(ctx context.Context, name string) error {
	g.token = os.Getenv("GATEWAY_MASTER_TOKEN")
	var registered struct {
		Token string `json:"token"`
	}
	tenant := map[string]any{
		"tenant_name": name, "email": "admin@" + name + ".example", "password": "correct horse battery",
	}
	if err := g.call(ctx, "POST", "/register", tenant, &registered); err != nil {
		return err
	}
	g.token = registered.Token
	var created struct {
		Device struct {
			ID string `json:"id"`
		} `json:"device"`
	}
	if err := g.call(ctx, "POST", "/devices", map[string]any{"name": name}, &created); err != nil {
		return err
	}
	g.device = created.Device.ID
	return nil
}

// link registers a tenant and links its device to the phone.
func (g *gateway) link(ctx context.Context, p *phone) error {
	if err := g.register(ctx, "interop"); err != nil {
		return err
	}
	var shown struct {
		Data struct {
			Code string `json:"qr_code"`
		} `json:"data"`
	}
	if err := g.call(ctx, "GET", "/qr?device_id="+g.device, nil, &shown); err != nil {
		return err
	}
	var linked struct {
		JID string `json:"jid"`
	}
	if err := p.do(ctx, "POST", "/scan", map[string]any{"qr": shown.Data.Code}, &linked); err != nil {
		return err
	}
	g.address = linked.JID
	return g.connected(ctx)
}

// takeOver registers a tenant whose device goes on with a session of a whatsmeow store.
func (g *gateway) takeOver(ctx context.Context, store []byte, session string) error {
	if err := g.register(ctx, "movers"); err != nil {
		return err
	}
	order := map[string]any{"file_base64": store, "session": session}
	var moved struct {
		Taken []struct {
			What string `json:"what"`
		} `json:"taken"`
	}
	if err := g.call(ctx, "POST", "/devices/"+g.device+"/import", order, &moved); err != nil {
		return err
	}
	for _, each := range moved.Taken {
		if each.What == "nct-salt" {
			return g.connected(ctx)
		}
	}
	return fmt.Errorf("the account's secret has not moved in: %v", moved.Taken)
}

func (g *gateway) connected(ctx context.Context) error {
	return until(ctx, "the gateway to be connected", func() (bool, error) {
		var status struct {
			Data struct {
				Connected bool `json:"connected"`
			} `json:"data"`
		}
		err := g.call(ctx, "GET", "/status?device_id="+g.device, nil, &status)
		return status.Data.Connected, err
	})
}

// send calls a sending operation and returns the message's id.
func (g *gateway) send(ctx context.Context, path string, body map[string]any) (string, error) {
	var sent struct {
		MessageID string `json:"message_id"`
	}
	err := g.call(ctx, "POST", path, body, &sent)
	return sent.MessageID, err
}

// event waits for an event of the name whose data fits, from the oldest on.
func (g *gateway) event(ctx context.Context, name, what string, fits func(messageData) bool) (messageData, error) {
	var found messageData
	after := ""
	err := until(ctx, fmt.Sprintf("the gateway's event %s of %s", name, what), func() (bool, error) {
		path := "/events?limit=100&event=" + url.QueryEscape(name)
		if after != "" {
			path += "&after=" + url.QueryEscape(after)
		}
		var page struct {
			Events []gatewayEvent `json:"events"`
			Next   string         `json:"next"`
		}
		if err := g.call(ctx, "GET", path, nil, &page); err != nil {
			return false, err
		}
		after = page.Next
		for _, each := range page.Events {
			var data messageData
			if err := json.Unmarshal(each.Data, &data); err != nil {
				return false, err
			}
			if fits(data) {
				found = data
				return true, nil
			}
		}
		return false, nil
	})
	return found, err
}

// received waits until a message of somebody else was told.
func (g *gateway) received(ctx context.Context, id string) (messageData, error) {
	return g.event(ctx, "message.received", id, func(m messageData) bool { return m.MessageID == id })
}

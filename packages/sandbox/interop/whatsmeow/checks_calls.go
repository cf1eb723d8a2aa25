package main

import (
	"context"

	"go.mau.fi/whatsmeow/types/events"
)

var callChecks = []check{
	{"a call is told, and rejected", func(ctx context.Context, w *world) error {
		before := w.byQR.mark()
		var call struct {
			ID string `json:"id"`
		}
		if err := w.paula.do(ctx, "POST", "/calls", map[string]any{"to": w.wanda.number, "video": true}, &call); err != nil {
			return err
		}
		offer, err := event(ctx, w.byQR, before, "the call", func(c *events.CallOffer) bool { return c.CallID == call.ID })
		if err != nil {
			return err
		}
		if err = same("the caller", offer.CallCreator.User, w.paula.LID.User); err != nil {
			return err
		}
		if err = w.byQR.RejectCall(ctx, offer.From, call.ID); err != nil {
			return err
		}
		return until(ctx, "the rejection at Paula's phone", func() (bool, error) {
			var got struct {
				Signals []struct {
					CallID string `json:"callId"`
					Signal string `json:"signal"`
				} `json:"signals"`
			}
			err := w.paula.do(ctx, "GET", "/calls", nil, &got)
			for _, each := range got.Signals {
				if each.CallID == call.ID && each.Signal == "reject" {
					return true, nil
				}
			}
			return false, err
		})
	}},
	{"a call that is given up is told", func(ctx context.Context, w *world) error {
		before := w.byQR.mark()
		var call struct {
			ID string `json:"id"`
		}
		if err := w.paula.do(ctx, "POST", "/calls", map[string]any{"to": w.wanda.number}, &call); err != nil {
			return err
		}
		if err := w.paula.do(ctx, "POST", "/calls/"+call.ID, map[string]any{"signal": "terminate", "reason": "timeout"}, nil); err != nil {
			return err
		}
		ended, err := event(ctx, w.byQR, before, "the end of the call", func(c *events.CallTerminate) bool { return c.CallID == call.ID })
		return first(err, same("the reason", ended.Reason, "timeout"))
	}},
}

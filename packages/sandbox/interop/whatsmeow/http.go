package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// How often something that cannot be waited for is looked at.
const pollEvery = 30 * time.Millisecond

// caller speaks JSON to one server: the sandbox's control API, or the gateway with a token.
type caller struct {
	base  string
	token string
}

// refusal is an answer with another status than 2xx.
type refusal struct {
	status int
	body   string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.status, r.body) }

// call sends `body` (nil for none) and reads the answer into `answer` (nil when it does not matter).
func (c *caller) call(ctx context.Context, method, path string, body, answer any) error {
	raw, err := c.bytes(ctx, method, path, body)
	if err != nil {
		return err
	}
	if answer == nil {
		return nil
	}
	if err = json.Unmarshal(raw, answer); err != nil {
		return fmt.Errorf("%s %s answered %.200s: %w", method, path, raw, err)
	}
	return nil
}

func (c *caller) bytes(ctx context.Context, method, path string, body any) ([]byte, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %w", method, path, &refusal{response.StatusCode, string(raw)})
	}
	return raw, nil
}

// until looks again and again until `holds` says so, fails, or the time of the check is over.
func until(ctx context.Context, what string, holds func() (bool, error)) error {
	for {
		held, err := holds()
		if err != nil {
			return err
		}
		if held {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain for %s", what)
		case <-time.After(pollEvery):
		}
	}
}

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"

	"go.mau.fi/whatsmeow"
)

// The host that whatsmeow dials, whatever happens (its socket.URL is a constant).
const realHost = "web.whatsapp.com"

// network leads an unmodified whatsmeow to the sandbox. Nothing of it leaves the machine.
type network struct {
	socket *http.Client
	media  *http.Client
}

// newNetwork trusts the sandbox's Noise root in the place of WhatsApp's, and its CA for media.
func newNetwork(socketURL, rootKeyHex, caFile string) (*network, error) {
	root, err := hex.DecodeString(rootKeyHex)
	if err != nil || len(root) != len(whatsmeow.WACertPubKey) {
		return nil, fmt.Errorf("the root key is not %d bytes in hex", len(whatsmeow.WACertPubKey))
	}
	copy(whatsmeow.WACertPubKey[:], root)

	address, err := url.Parse(socketURL)
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in the CA file")
	}
	transport := &http.Transport{
		DialContext:     dialLoopback,
		TLSClientConfig: &tls.Config{RootCAs: pool},
	}
	return &network{
		socket: &http.Client{Transport: &detour{host: address.Host, next: transport}},
		media:  &http.Client{Transport: transport},
	}, nil
}

// detour sends what is meant for WhatsApp's socket to the sandbox's, which speaks without TLS.
type detour struct {
	host string
	next http.RoundTripper
}

func (d *detour) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Host != realHost {
		return nil, fmt.Errorf("whatsmeow wants to reach %s", request.URL.Host)
	}
	led := request.Clone(request.Context())
	led.URL.Scheme = "http"
	led.URL.Host = d.host
	return d.next.RoundTrip(led)
}

// dialLoopback refuses every address that is not this machine's own.
func dialLoopback(ctx context.Context, kind, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("%s is not this machine", host)
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, kind, address)
}

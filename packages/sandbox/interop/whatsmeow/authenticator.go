package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"

	"go.mau.fi/util/jsonbytes"
	"go.mau.fi/whatsmeow/types"
)

// authenticator is a passkey: it signs by ES256, as a browser on web.whatsapp.com has it sign.
type authenticator struct {
	id      []byte
	key     *ecdsa.PrivateKey
	counter uint32
}

func newAuthenticator() (*authenticator, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	id := make([]byte, 32)
	if _, err = rand.Read(id); err != nil {
		return nil, err
	}
	return &authenticator{id: id, key: key}, nil
}

// register makes it a passkey of the phone's account.
func (a *authenticator) register(ctx context.Context, p *phone) error {
	point, err := a.key.PublicKey.ECDH()
	if err != nil {
		return err
	}
	// COSE_Key in CBOR: {1: 2, 3: -7, -1: 1, -2: x, -3: y}; the point is 4, x, y.
	xy := point.Bytes()[1:]
	cose := append([]byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20}, xy[:32]...)
	cose = append(append(cose, 0x22, 0x58, 0x20), xy[32:]...)
	return p.do(ctx, "POST", "/passkeys", map[string]any{
		"id":        base64.RawURLEncoding.EncodeToString(a.id),
		"publicKey": base64.RawURLEncoding.EncodeToString(cose),
	}, nil)
}

// sign answers the request options that the server sent.
func (a *authenticator) sign(options *types.WebAuthnPublicKey) (*types.WebAuthnResponse, error) {
	clientData, err := json.Marshal(map[string]any{
		"type":        "webauthn.get",
		"challenge":   base64.RawURLEncoding.EncodeToString(options.Challenge),
		"origin":      "https://web.whatsapp.com",
		"crossOrigin": false,
	})
	if err != nil {
		return nil, err
	}
	relyingParty := sha256.Sum256([]byte(options.RelyingPartID))
	a.counter++
	// Present and verified.
	data := append(relyingParty[:], 0x05)
	data = binary.BigEndian.AppendUint32(data, a.counter)
	clientHash := sha256.Sum256(clientData)
	signed := sha256.Sum256(append(append([]byte{}, data...), clientHash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, signed[:])
	if err != nil {
		return nil, err
	}
	return &types.WebAuthnResponse{
		ID:    base64.RawURLEncoding.EncodeToString(a.id),
		RawID: jsonbytes.UnpaddedURLBytes(a.id),
		Type:  "public-key",
		Response: types.WebAuthnResponseData{
			ClientDataJSON:    clientData,
			AuthenticatorData: data,
			Signature:         signature,
		},
	}, nil
}

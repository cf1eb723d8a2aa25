package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/libsignal/groups"
	"go.mau.fi/libsignal/keys/identity"
	"go.mau.fi/libsignal/keys/prekey"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/libsignal/session"
	"go.mau.fi/libsignal/util/optional"
	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
	"google.golang.org/protobuf/proto"
)

var serializer = store.SignalProtobufSerializer

// person is a device that is linked to an account of its own.
type person struct {
	device *store.Device
	// Under which the others know it.
	address *protocol.SignalAddress
}

type world struct {
	ctx       context.Context
	container *sqlstore.Container
	people    map[string]*person
	pending   []pending
}

func (w *world) steps(all ...func() error) error {
	for index, step := range all {
		if err := step(); err != nil {
			return fmt.Errorf("step %d: %w", index, err)
		}
	}
	return nil
}

// add links a device, with the signatures that its account's phone would have made.
func (w *world) add(name string, index int) error {
	device := w.container.NewDevice()
	jid := types.NewADJID(fmt.Sprintf("55119999%04d", index+1), types.WhatsAppDomain, uint8(index+2))
	device.ID = &jid
	device.LID = types.JID{User: fmt.Sprintf("1000000000%04d", index+1), Device: jid.Device, Server: types.HiddenUserServer}
	device.Platform = "android"
	device.PushName = name
	phone := keys.NewKeyPair()
	details, err := proto.Marshal(&waAdv.ADVDeviceIdentity{
		RawID: proto.Uint32(1234), Timestamp: proto.Uint64(1_790_000_000), KeyIndex: proto.Uint32(1),
	})
	if err != nil {
		return err
	}
	account := append(append([]byte{6, 0}, details...), device.IdentityKey.Pub[:]...)
	own := append(append(append([]byte{6, 1}, details...), device.IdentityKey.Pub[:]...), phone.Pub[:]...)
	byPhone := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*phone.Priv), account)
	byDevice := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*device.IdentityKey.Priv), own)
	device.Account = &waAdv.ADVSignedDeviceIdentity{
		Details: details, AccountSignatureKey: phone.Pub[:], AccountSignature: byPhone[:], DeviceSignature: byDevice[:],
	}
	w.people[name] = &person{device, device.LID.SignalAddress()}
	return device.Save(w.ctx)
}

func (w *world) builder(of, with string) *session.Builder {
	return session.NewBuilderFromSignal(w.people[of].device, w.people[with].address, serializer)
}

func (w *world) cipher(of, with string) *session.Cipher {
	return session.NewCipher(w.builder(of, with), w.people[with].address)
}

// begin makes a session from the other's keys, one of which is used up by it.
func (w *world) begin(from, to string) error {
	other := w.people[to].device
	key, err := other.PreKeys.GenOnePreKey(w.ctx)
	if err != nil {
		return err
	}
	bundle := prekey.NewBundle(other.RegistrationID, w.people[to].address.DeviceID(),
		optional.NewOptionalUint32(key.KeyID), other.SignedPreKey.KeyID,
		ecc.NewDjbECPublicKey(*key.Pub), ecc.NewDjbECPublicKey(*other.SignedPreKey.Pub), *other.SignedPreKey.Signature,
		identity.NewKey(ecc.NewDjbECPublicKey(*other.IdentityKey.Pub)))
	return w.builder(from, to).ProcessBundle(w.ctx, bundle)
}

func (w *world) encrypt(from, to, text string) (protocol.CiphertextMessage, error) {
	return w.cipher(from, to).Encrypt(w.ctx, []byte(text))
}

// say writes a text that the other opens.
func (w *world) say(from, to, text string) error {
	message, err := w.encrypt(from, to, text)
	if err != nil {
		return err
	}
	var opened []byte
	if message.Type() == protocol.PREKEY_TYPE {
		parsed, err := protocol.NewPreKeySignalMessageFromBytes(message.Serialize(), serializer.PreKeySignalMessage, serializer.SignalMessage)
		if err != nil {
			return err
		}
		opened, err = w.cipher(to, from).DecryptMessage(w.ctx, parsed)
		if err != nil {
			return err
		}
	} else {
		parsed, err := protocol.NewSignalMessageFromBytes(message.Serialize(), serializer.SignalMessage)
		if err != nil {
			return err
		}
		opened, err = w.cipher(to, from).Decrypt(w.ctx, parsed)
		if err != nil {
			return err
		}
	}
	if string(opened) != text {
		return errors.New("another text was opened")
	}
	return nil
}

// hold writes a text that is still under way.
func (w *world) hold(name, from, to, text string) error {
	message, err := w.encrypt(from, to, text)
	if err != nil {
		return err
	}
	kind := "msg"
	if message.Type() == protocol.PREKEY_TYPE {
		kind = "pkmsg"
	}
	w.pending = append(w.pending, pending{name, w.people[from].address.String(), kind, message.Serialize(), text})
	return nil
}

func (w *world) senderKey(of string) *protocol.SenderKeyName {
	return protocol.NewSenderKeyName(group, w.people[of].address)
}

// introduce hands over the key with which somebody writes to the group.
func (w *world) introduce(from, to string) error {
	message, err := groups.NewGroupSessionBuilder(w.people[from].device, serializer).Create(w.ctx, w.senderKey(from))
	if err != nil {
		return err
	}
	parsed, err := protocol.NewSenderKeyDistributionMessageFromBytes(message.Serialize(), serializer.SenderKeyDistributionMessage)
	if err != nil {
		return err
	}
	return groups.NewGroupSessionBuilder(w.people[to].device, serializer).Process(w.ctx, w.senderKey(from), parsed)
}

func (w *world) groupCipher(of, sender string) *groups.GroupCipher {
	device := w.people[of].device
	return groups.NewGroupCipher(groups.NewGroupSessionBuilder(device, serializer), w.senderKey(sender), device)
}

func (w *world) encryptForGroup(from, text string) (*protocol.SenderKeyMessage, error) {
	message, err := w.groupCipher(from, from).Encrypt(w.ctx, []byte(text))
	if err != nil {
		return nil, err
	}
	return protocol.NewSenderKeyMessageFromBytes(message.SignedSerialize(), serializer.SenderKeyMessage)
}

func (w *world) sayInGroup(from, to, text string) error {
	message, err := w.encryptForGroup(from, text)
	if err != nil {
		return err
	}
	opened, err := w.groupCipher(to, from).Decrypt(w.ctx, message)
	if err == nil && string(opened) != text {
		err = errors.New("another text was opened")
	}
	return err
}

func (w *world) holdInGroup(name, from, text string) error {
	message, err := w.groupCipher(from, from).Encrypt(w.ctx, []byte(text))
	if err != nil {
		return err
	}
	w.pending = append(w.pending, pending{name, w.people[from].address.String(), "skmsg", message.SignedSerialize(), text})
	return nil
}

func random(length int) []byte {
	bytes := make([]byte, length)
	if _, err := rand.Read(bytes); err != nil {
		panic(err)
	}
	return bytes
}

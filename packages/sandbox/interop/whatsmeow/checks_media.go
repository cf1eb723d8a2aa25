package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/url"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// sampleJPEG is a small picture that decoders take.
func sampleJPEG() []byte {
	picture := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for x := range 64 {
		for y := range 48 {
			picture.Set(x, y, color.RGBA{uint8(4 * x), uint8(5 * y), 90, 255})
		}
	}
	var buffer bytes.Buffer
	if err := jpeg.Encode(&buffer, picture, nil); err != nil {
		panic(err)
	}
	return buffer.Bytes()
}

// sampleBytes are `length` bytes that tell files apart by their seed.
func sampleBytes(seed byte, length int) []byte {
	all := make([]byte, length)
	for index := range all {
		all[index] = byte(index)*31 + seed
	}
	return all
}

// kind is one kind of file, as whatsmeow sends it and as a phone does.
type kind struct {
	name string
	as   whatsmeow.MediaType
	// made is the message around an uploaded file.
	made func(whatsmeow.UploadResponse) *waE2E.Message
	// sent is what a phone is told to send, beside the bytes.
	sent map[string]any
	// shown is what the phone and the gateway call it.
	shown string
}

var kinds = []kind{
	{"image", whatsmeow.MediaImage, func(u whatsmeow.UploadResponse) *waE2E.Message {
		return &waE2E.Message{ImageMessage: &waE2E.ImageMessage{
			Caption: proto.String("with words"), Mimetype: proto.String("image/jpeg"),
			URL: &u.URL, DirectPath: &u.DirectPath, MediaKey: u.MediaKey,
			FileEncSHA256: u.FileEncSHA256, FileSHA256: u.FileSHA256, FileLength: &u.FileLength,
		}}
	}, map[string]any{"type": "image", "caption": "with words"}, "image"},
	{"video", whatsmeow.MediaVideo, func(u whatsmeow.UploadResponse) *waE2E.Message {
		return &waE2E.Message{VideoMessage: &waE2E.VideoMessage{
			Caption: proto.String("with words"), Mimetype: proto.String("video/mp4"), Seconds: proto.Uint32(3),
			URL: &u.URL, DirectPath: &u.DirectPath, MediaKey: u.MediaKey,
			FileEncSHA256: u.FileEncSHA256, FileSHA256: u.FileSHA256, FileLength: &u.FileLength,
		}}
	}, map[string]any{"type": "video", "caption": "with words", "seconds": 3}, "video"},
	{"voice note", whatsmeow.MediaAudio, func(u whatsmeow.UploadResponse) *waE2E.Message {
		return audio(u, true)
	}, map[string]any{"type": "voice", "seconds": 2}, "voice"},
	{"audio file", whatsmeow.MediaAudio, func(u whatsmeow.UploadResponse) *waE2E.Message {
		return audio(u, false)
	}, map[string]any{"type": "audio", "seconds": 2}, "audio"},
	{"document with a caption", whatsmeow.MediaDocument, func(u whatsmeow.UploadResponse) *waE2E.Message {
		return &waE2E.Message{DocumentWithCaptionMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{
			DocumentMessage: &waE2E.DocumentMessage{
				Caption: proto.String("with words"), Mimetype: proto.String("application/pdf"),
				FileName: proto.String("bill.pdf"), Title: proto.String("bill.pdf"),
				URL: &u.URL, DirectPath: &u.DirectPath, MediaKey: u.MediaKey,
				FileEncSHA256: u.FileEncSHA256, FileSHA256: u.FileSHA256, FileLength: &u.FileLength,
			},
		}}}
	}, map[string]any{"type": "document", "fileName": "bill.pdf", "mimeType": "application/pdf", "caption": "with words"}, "document"},
	{"sticker", whatsmeow.MediaImage, func(u whatsmeow.UploadResponse) *waE2E.Message {
		return &waE2E.Message{StickerMessage: &waE2E.StickerMessage{
			Mimetype: proto.String("image/webp"),
			URL:      &u.URL, DirectPath: &u.DirectPath, MediaKey: u.MediaKey,
			FileEncSHA256: u.FileEncSHA256, FileSHA256: u.FileSHA256, FileLength: &u.FileLength,
		}}
	}, map[string]any{"type": "sticker"}, "sticker"},
}

func audio(u whatsmeow.UploadResponse, voice bool) *waE2E.Message {
	return &waE2E.Message{AudioMessage: &waE2E.AudioMessage{
		Mimetype: proto.String("audio/ogg; codecs=opus"), Seconds: proto.Uint32(2), PTT: &voice,
		URL: &u.URL, DirectPath: &u.DirectPath, MediaKey: u.MediaKey,
		FileEncSHA256: u.FileEncSHA256, FileSHA256: u.FileSHA256, FileLength: &u.FileLength,
	}}
}

func mediaChecks() []check {
	var all []check
	for index, k := range kinds {
		file := sampleBytes(byte(index), 3000+index)
		all = append(all,
			check{"a phone's " + k.name + " arrives whole", func(ctx context.Context, w *world) error {
				return phoneSendsFile(ctx, w, k, file)
			}},
			check{"a phone gets the " + k.name + " whole", func(ctx context.Context, w *world) error {
				return deviceSendsFile(ctx, w, w.paula.JID, k, file, func(id string) ([]byte, error) {
					got, err := w.paula.byID(ctx, id)
					if err = first(err, same("the kind", got.Kind, k.shown)); err != nil {
						return nil, err
					}
					return w.paula.file(ctx, id)
				})
			}},
			check{"the gateway gets the " + k.name + " whole", func(ctx context.Context, w *world) error {
				return deviceSendsFile(ctx, w, w.greta.JID, k, file, func(id string) ([]byte, error) {
					if _, err := w.gateway.received(ctx, id); err != nil {
						return nil, err
					}
					return w.gateway.bytes(ctx, "GET", "/messages/"+url.PathEscape(id)+"/media", nil)
				})
			}},
		)
	}
	return append(all,
		check{"a picture of the gateway arrives whole", func(ctx context.Context, w *world) error {
			body := map[string]any{"to": w.wanda.number, "image": base64.StdEncoding.EncodeToString(sampleJPEG()), "caption": "from the gateway"}
			got, file, err := gatewaySendsFile(ctx, w, "/send/image", body)
			if err = first(err, same("the caption", got.GetImageMessage().GetCaption(), "from the gateway")); err != nil {
				return err
			}
			_, err = jpeg.Decode(bytes.NewReader(file))
			return err
		}},
		check{"a document of the gateway arrives whole", func(ctx context.Context, w *world) error {
			file := sampleBytes(99, 5000)
			body := map[string]any{"to": w.wanda.number, "document": base64.StdEncoding.EncodeToString(file), "fileName": "data.bin"}
			_, got, err := gatewaySendsFile(ctx, w, "/send/document", body)
			return first(err, sameBytes(got, file))
		}},
		check{"a file that expired is uploaded again by the sender's phone", mediaRetry},
	)
}

func phoneSendsFile(ctx context.Context, w *world, k kind, file []byte) error {
	message := map[string]any{"base64": base64.StdEncoding.EncodeToString(file)}
	for key, value := range k.sent {
		message[key] = value
	}
	id, err := w.paula.send(ctx, w.wanda.number, message)
	if err != nil {
		return err
	}
	got, err := w.byQR.message(ctx, id)
	if err != nil {
		return err
	}
	there, err := w.byQR.DownloadAny(ctx, got.Message)
	return first(err, sameBytes(there, file))
}

func deviceSendsFile(ctx context.Context, w *world, to types.JID, k kind, file []byte, fetched func(string) ([]byte, error)) error {
	uploaded, err := w.byQR.Upload(ctx, file, k.as)
	if err != nil {
		return err
	}
	sent, err := w.byQR.SendMessage(ctx, to, k.made(uploaded))
	if err != nil {
		return err
	}
	there, err := fetched(sent.ID)
	return first(err, sameBytes(there, file))
}

func gatewaySendsFile(ctx context.Context, w *world, path string, body map[string]any) (*waE2E.Message, []byte, error) {
	id, err := w.gateway.send(ctx, path, body)
	if err != nil {
		return nil, nil, err
	}
	got, err := w.byQR.message(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	file, err := w.byQR.DownloadAny(ctx, got.Message)
	return got.Message, file, err
}

func sameBytes(got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	return fmt.Errorf("%d bytes arrived that are not the %d sent", len(got), len(want))
}

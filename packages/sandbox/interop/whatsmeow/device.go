package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	signal "go.mau.fi/libsignal/logger"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	waLog "go.mau.fi/whatsmeow/util/log"
	_ "modernc.org/sqlite"
)

// device is a linked device: an unmodified whatsmeow with a database of its own, and all it reported.
type device struct {
	*whatsmeow.Client
	db   *sql.DB
	name string
	of   *phone
	// number is the device's among those of the account.
	number int
	log    *problemLog

	lock   sync.Mutex
	seen   []any
	change chan struct{}
}

// newDevice makes a device that is linked to nothing yet.
func newDevice(ctx context.Context, w *world, name string) (*device, error) {
	path := filepath.Join(w.folder, name+".db")
	// Without a wait for the disk: nothing here has to survive the machine.
	address := "file:" + path + "?_pragma=foreign_keys(1)&_pragma=busy_timeout(20000)" +
		"&_pragma=journal_mode(WAL)&_pragma=synchronous(0)&_txlock=immediate"
	log := &problemLog{}
	db, err := sql.Open("sqlite", address)
	if err != nil {
		return nil, err
	}
	container := sqlstore.NewWithDB(db, "sqlite", log)
	if err = container.Upgrade(ctx); err != nil {
		return nil, err
	}
	client := whatsmeow.NewClient(container.NewDevice(), log)
	client.SetWebsocketHTTPClient(w.network.socket)
	client.SetPreLoginHTTPClient(w.network.socket)
	client.SetMediaHTTPClient(w.network.media)
	// The first entry of a collection comes with its first sync; other accounts have some long before.
	client.EmitAppStateEventsOnFullSync = true
	d := &device{Client: client, db: db, name: name, log: log, change: make(chan struct{})}
	client.AddEventHandler(d.take)
	w.devices = append(w.devices, d)
	return d, nil
}

func (d *device) take(event any) {
	d.lock.Lock()
	defer d.lock.Unlock()
	d.seen = append(d.seen, event)
	close(d.change)
	d.change = make(chan struct{})
}

// mark is where the events that are still to come begin.
func (d *device) mark() int {
	d.lock.Lock()
	defer d.lock.Unlock()
	return len(d.seen)
}

// since is what the device reported after a mark.
func (d *device) since(from int) []any {
	d.lock.Lock()
	defer d.lock.Unlock()
	return append([]any(nil), d.seen[from:]...)
}

// event looks at what the device reported since `from`, then waits for an event of the type that fits.
func event[T any](ctx context.Context, d *device, from int, what string, fits func(T) bool) (T, error) {
	for {
		d.lock.Lock()
		for _, each := range d.seen[from:] {
			if typed, ok := each.(T); ok && fits(typed) {
				d.lock.Unlock()
				return typed, nil
			}
		}
		from = len(d.seen)
		change := d.change
		d.lock.Unlock()
		select {
		case <-change:
		case <-ctx.Done():
			var none T
			return none, fmt.Errorf("%s was not told of %s%s", d.name, what, d.log.tail())
		}
	}
}

func any1[T any](T) bool { return true }

// message waits for a message that was decrypted.
func (d *device) message(ctx context.Context, id string) (*events.Message, error) {
	return event(ctx, d, 0, "message "+id, func(m *events.Message) bool { return m.Info.ID == id })
}

// receipt waits for a receipt for the message.
func (d *device) receipt(ctx context.Context, id string, kind types.ReceiptType) (*events.Receipt, error) {
	return event(ctx, d, 0, fmt.Sprintf("a receipt %q for %s", kind, id), func(r *events.Receipt) bool {
		return r.Type == kind && len(r.MessageIDs) > 0 && contains(r.MessageIDs, id)
	})
}

// linkByQR shows a code, lets the phone scan it, and waits until the device is logged in.
func (d *device) linkByQR(ctx context.Context, p *phone) error {
	codes, err := d.GetQRChannel(context.Background())
	if err != nil {
		return err
	}
	if err = d.Connect(); err != nil {
		return err
	}
	select {
	case item := <-codes:
		if item.Event != whatsmeow.QRChannelEventCode {
			return fmt.Errorf("no code but %s: %v", item.Event, item.Error)
		}
		return d.linked(ctx, p, "/scan", map[string]any{"qr": item.Code})
	case <-ctx.Done():
		return errors.New("the network asked for no QR code" + d.log.tail())
	}
}

// linkByCode asks for a code, lets the phone enter it, and waits until the device is logged in.
func (d *device) linkByCode(ctx context.Context, p *phone) error {
	if err := d.Connect(); err != nil {
		return err
	}
	if _, err := event(ctx, d, 0, "a QR code", any1[*events.QR]); err != nil {
		return err
	}
	code, err := d.PairPhone(ctx, p.number, true, whatsmeow.PairClientChrome, "Chrome (Linux)")
	if err != nil {
		return err
	}
	return d.linked(ctx, p, "/paircode", map[string]any{"code": code})
}

func (d *device) linked(ctx context.Context, p *phone, path string, body map[string]any) error {
	before := d.mark()
	var linked struct {
		Device int `json:"device"`
	}
	if err := p.do(ctx, "POST", path, body, &linked); err != nil {
		return err
	}
	if _, err := event(ctx, d, before, "its linking", any1[*events.PairSuccess]); err != nil {
		return err
	}
	if _, err := event(ctx, d, before, "its connection", any1[*events.Connected]); err != nil {
		return err
	}
	d.of = p
	d.number = linked.Device
	return nil
}

// address is the device's own JID, by phone number.
func (d *device) address() string { return fmt.Sprintf("%s:%d@s.whatsapp.net", d.of.number, d.number) }

// sessions are the Signal sessions as they are now, by the name of the other device.
func (d *device) sessions(ctx context.Context) (map[string][]byte, error) {
	rows, err := d.db.QueryContext(ctx, "SELECT their_id, session FROM whatsmeow_sessions")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string][]byte{}
	for rows.Next() {
		var name string
		var session []byte
		if err = rows.Scan(&name, &session); err != nil {
			return nil, err
		}
		all[name] = session
	}
	return all, rows.Err()
}

// restore brings back sessions of an earlier moment, as a copy of the database does that is put in its place:
// what is sent next is under keys that were used before.
func (d *device) restore(ctx context.Context, sessions map[string][]byte) error {
	for name, session := range sessions {
		if _, err := d.db.ExecContext(ctx, "UPDATE whatsmeow_sessions SET session=$1 WHERE their_id=$2", session, name); err != nil {
			return err
		}
	}
	return nil
}

// lostSenderKeys makes the device forget what others write to groups with.
func (d *device) lostSenderKeys(ctx context.Context) error {
	_, err := d.db.ExecContext(ctx, "DELETE FROM whatsmeow_sender_keys WHERE sender_id NOT LIKE $1", d.Store.GetLID().User+"%")
	return err
}

// problemLog keeps what whatsmeow warns of, to be shown beside a check that failed.
type problemLog struct {
	lock  sync.Mutex
	lines []string
	all   bool
}

const shownProblems = 12

func (l *problemLog) add(level, message string, args []any) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.lines = append(l.lines, level+" "+fmt.Sprintf(message, args...))
}

func (l *problemLog) Warnf(message string, args ...any)  { l.add("warn", message, args) }
func (l *problemLog) Errorf(message string, args ...any) { l.add("error", message, args) }
func (l *problemLog) Infof(string, ...any)               {}
func (l *problemLog) Debugf(message string, args ...any) {
	if l.all {
		l.add("debug", message, args)
	}
}
func (l *problemLog) Sub(string) waLog.Logger { return l }

func (l *problemLog) tail() string {
	l.lock.Lock()
	defer l.lock.Unlock()
	lines := l.lines
	if len(lines) > shownProblems && !l.all {
		lines = lines[len(lines)-shownProblems:]
	}
	if len(lines) == 0 {
		return ""
	}
	return "\n    " + strings.Join(lines, "\n    ")
}

// drain returns the lines that came since the last call.
func (l *problemLog) drain() []string {
	l.lock.Lock()
	defer l.lock.Unlock()
	lines := l.lines
	l.lines = nil
	return lines
}

// quietSignal keeps libsignal from printing each key that it tries; whatsmeow says what came of it.
type quietSignal struct{}

func (quietSignal) Debug(_, _ string)   {}
func (quietSignal) Info(_, _ string)    {}
func (quietSignal) Warning(_, _ string) {}
func (quietSignal) Error(_, _ string)   {}
func (quietSignal) Configure(string)    {}

func init() {
	var quiet signal.Loggable = quietSignal{}
	signal.Setup(&quiet)
}

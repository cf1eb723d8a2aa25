// Writes the store that the tests of moving in read: an SQLite file as an unmodified whatsmeow keeps it, with people who
// have written to each other, and a list of what they wrote that its owner has still to open. Nobody in it exists.
//
//	go run ./stores ../../../gateway/test/moving/whatsmeow
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.mau.fi/whatsmeow/appstate/lthash"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	_ "modernc.org/sqlite"
)

const group = "120363000000000001@g.us"

// pending is a ciphertext that was sent and not opened yet, when the store was copied.
type pending struct {
	// What is tried with it.
	Case string `json:"case"`
	From string `json:"from"`
	// msg, pkmsg or skmsg.
	Type       string `json:"type"`
	Ciphertext []byte `json:"ciphertext"`
	Plaintext  string `json:"plaintext"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: stores FOLDER")
		os.Exit(2)
	}
	if err := write(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(ctx context.Context, folder string) error {
	path := filepath.Join(folder, "store.db")
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	// Small pages, because there are many tables with little in them.
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=page_size(1024)&_pragma=foreign_keys(1)")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	container := sqlstore.NewWithDB(db, "sqlite", nil)
	if err = container.Upgrade(ctx); err != nil {
		return err
	}
	w := &world{ctx: ctx, container: container, people: map[string]*person{}}
	for index, name := range []string{"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"} {
		if err = w.add(name, index); err != nil {
			return err
		}
	}
	for _, part := range []func() error{w.conversations, w.overtaken, w.begunAnew, w.groups, w.names, w.account} {
		if err = part(); err != nil {
			return err
		}
	}
	if _, err = db.ExecContext(ctx, "VACUUM"); err != nil {
		return err
	}
	if err = container.Close(); err != nil {
		return err
	}
	list, err := json.MarshalIndent(w.pending, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "pending.json"), append(list, '\n'), 0o644)
}

// conversations: bob has answered, carol has not, and what dave began alice has not answered.
func (w *world) conversations() error {
	return w.steps(
		func() error { return w.begin("alice", "bob") },
		func() error { return w.say("alice", "bob", "one") },
		func() error { return w.say("bob", "alice", "two") },
		func() error { return w.say("alice", "bob", "three") },
		func() error { return w.say("alice", "bob", "four") },
		func() error { return w.say("bob", "alice", "five") },
		func() error { return w.hold("answered", "bob", "alice", "six") },
		func() error { return w.hold("answered", "bob", "alice", "seven") },

		func() error { return w.begin("alice", "carol") },
		func() error { return w.say("alice", "carol", "are you there?") },
		func() error { return w.hold("unanswered", "carol", "alice", "I am") },

		func() error { return w.begin("dave", "alice") },
		func() error { return w.say("dave", "alice", "hello") },
		func() error { return w.hold("begun there", "dave", "alice", "hello again") },
	)
}

// overtaken: erin's first messages are still under way when a later one was read, and one of frank's from before he
// began the next chain.
func (w *world) overtaken() error {
	return w.steps(
		func() error { return w.begin("erin", "alice") },
		func() error { return w.say("erin", "alice", "zero") },
		func() error { return w.say("alice", "erin", "go on") },
		func() error { return w.hold("overtaken", "erin", "alice", "first") },
		func() error { return w.hold("overtaken", "erin", "alice", "second") },
		func() error { return w.say("erin", "alice", "third") },
		func() error { return w.hold("behind the overtaken", "erin", "alice", "fourth") },

		func() error { return w.begin("frank", "alice") },
		func() error { return w.say("frank", "alice", "zero") },
		func() error { return w.say("alice", "frank", "one") },
		func() error { return w.say("frank", "alice", "two") },
		func() error { return w.hold("of an older chain", "frank", "alice", "three") },
		func() error { return w.say("alice", "frank", "four") },
		func() error { return w.say("frank", "alice", "five") },
	)
}

// begunAnew: grace lost her session and began another; one message of the first is still under way.
func (w *world) begunAnew() error {
	return w.steps(
		func() error { return w.begin("grace", "alice") },
		func() error { return w.say("grace", "alice", "before") },
		func() error { return w.say("alice", "grace", "yes?") },
		func() error { return w.hold("of an archived session", "grace", "alice", "still before") },
		func() error { return w.begin("grace", "alice") },
		func() error { return w.say("grace", "alice", "after") },
		func() error { return w.say("alice", "grace", "again?") },
		func() error { return w.hold("of the newer session", "grace", "alice", "still after") },
	)
}

// groups: bob and alice write to a group, and one of bob's messages was overtaken.
func (w *world) groups() error {
	return w.steps(
		func() error { return w.introduce("bob", "alice") },
		func() error { return w.introduce("alice", "bob") },
		func() error { return w.sayInGroup("bob", "alice", "to all") },
		func() error { return w.holdInGroup("overtaken in a group", "bob", "first") },
		func() error { return w.sayInGroup("bob", "alice", "second") },
		func() error { return w.holdInGroup("in a group", "bob", "third") },
		func() error { return w.sayInGroup("alice", "bob", "mine") },
		// The same key once more, as with each message to somebody who joined.
		func() error { return w.introduce("bob", "alice") },
		func() error { return w.holdInGroup("in a group, distributed again", "bob", "fourth") },
	)
}

// names: heidi is known by number alone when she first writes, and by both later.
func (w *world) names() error {
	heidi, alice := w.people["heidi"], w.people["alice"]
	lid := heidi.address
	return w.steps(
		func() error { heidi.address = heidi.device.ID.SignalAddress(); return nil },
		func() error { return w.begin("heidi", "alice") },
		func() error { return w.say("heidi", "alice", "by number") },
		func() error { return w.say("alice", "heidi", "fine") },
		func() error { return w.hold("under the number", "heidi", "alice", "still by number") },
		func() error { heidi.address = lid; return nil },
		func() error { return w.begin("heidi", "alice") },
		func() error { return w.say("heidi", "alice", "by LID") },
		func() error { return w.say("alice", "heidi", "fine too") },
		func() error { return w.hold("under the LID", "heidi", "alice", "still by LID") },
		func() error {
			for _, each := range w.people {
				if each == alice {
					continue
				}
				lid, number := each.device.LID.ToNonAD(), each.device.ID.ToNonAD()
				if err := alice.device.LIDs.PutLIDMapping(w.ctx, lid, number); err != nil {
					return err
				}
			}
			return nil
		},
	)
}

// account: the keys of the account's state, and a collection in which one value was replaced.
func (w *world) account() error {
	device := w.people["alice"].device
	values := make([][]byte, 3)
	for index := range values {
		values[index] = random(32)
	}
	indexes := [][]byte{random(32), random(32)}
	sum := lthash.WAPatchIntegrity.SubtractThenAdd(make([]byte, 128), nil, values[1:])
	older := []store.AppStateMutationMAC{{IndexMAC: indexes[0], ValueMAC: values[0]}, {IndexMAC: indexes[1], ValueMAC: values[1]}}
	newer := []store.AppStateMutationMAC{{IndexMAC: indexes[0], ValueMAC: values[2]}}
	day := time.Unix(1_790_000_000, 0)
	return w.steps(
		func() error {
			return device.AppStateKeys.PutAppStateSyncKey(w.ctx, []byte{0, 0, 0, 0, 1, 1}, store.AppStateSyncKey{
				Data: random(32), Fingerprint: []byte{8, 0xd2, 9, 16, 1, 26, 2, 0, 2}, Timestamp: day.UnixMilli(),
			})
		},
		func() error {
			return device.AppStateKeys.PutAppStateSyncKey(w.ctx, []byte{0, 0, 0, 0, 1, 2}, store.AppStateSyncKey{
				Data: random(32), Fingerprint: []byte{8, 0xd2, 9, 16, 2, 26, 2, 0, 2}, Timestamp: day.Add(time.Hour).UnixMilli(),
			})
		},
		func() error { return device.AppState.PutAppStateVersion(w.ctx, "regular_high", 5, [128]byte(sum)) },
		func() error { return device.AppState.PutAppStateMutationMACs(w.ctx, "regular_high", 4, older) },
		func() error { return device.AppState.PutAppStateMutationMACs(w.ctx, "regular_high", 5, newer) },
		func() error {
			return device.PrivacyTokens.PutPrivacyTokens(w.ctx,
				store.PrivacyToken{User: w.people["bob"].device.ID.ToNonAD(), Token: random(16), Timestamp: day, SenderTimestamp: day},
				store.PrivacyToken{User: w.people["carol"].device.LID.ToNonAD(), Token: random(16), Timestamp: day},
			)
		},
		func() error {
			return device.MsgSecrets.PutMessageSecret(w.ctx, w.people["bob"].device.ID.ToNonAD(), device.ID.ToNonAD(), "3EB0", random(32))
		},
		func() error {
			return device.Contacts.PutContactName(w.ctx, types.NewJID("551199990002", types.DefaultUserServer), "Bob", "Bob")
		},
		func() error { _, err := device.PreKeys.GetOrGenPreKeys(w.ctx, 5); return err },
		func() error { return device.PreKeys.MarkPreKeysAsUploaded(w.ctx, 3) },
	)
}

// Does with an unmodified whatsmeow what its users do, on a running sandbox and a gateway, and says of each
// check whether it held. `run.ts` starts it; the environment says where everything is.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// A check that takes longer has failed. Loaded machines are slow, so it is generous.
const checkTimeout = 30 * time.Second

// check is one thing that has to hold; those of a chapter run in order and may build on each other.
type check struct {
	name string
	run  func(context.Context, *world) error
}

type chapter struct {
	name   string
	checks []check
}

// The first chapter links the devices that the others use.
var chapters = []chapter{
	{"linking", linkingChecks},
	{"passkeys", passkeyChecks},
	{"texts", textChecks},
	{"media", mediaChecks()},
	{"changes", changeChecks},
	{"seals", sealedChecks},
	{"retries", retryChecks},
	{"groups", groupChecks()},
	{"without LID", withoutLIDChecks()},
	{"people", peopleChecks},
	{"account", accountChecks},
	{"channels", channelChecks},
	{"calls", callChecks},
	{"acknowledgements", acknowledgementChecks},
	{"connection", connectionChecks},
	{"moving", movingChecks()},
}

func main() {
	only := flag.String("only", "", "run only these chapters after the first, names separated by commas")
	debug := flag.Bool("debug", false, "show all that whatsmeow logs of a check that failed")
	flag.Parse()
	w, err := newWorld(context.Background(), *debug)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	held, all := 0, 0
	var red []string
	for index, each := range chapters {
		if index > 0 && *only != "" && !slices.Contains(strings.Split(*only, ","), each.name) {
			continue
		}
		for _, c := range each.checks {
			all++
			name := each.name + ": " + c.name
			started := time.Now()
			if err := attempt(w, c); err != nil {
				fmt.Printf("  FAIL %s\n    %v\n", name, err)
				red = append(red, name)
				continue
			}
			held++
			fmt.Printf("  ok   %s (%d ms)\n", name, time.Since(started).Milliseconds())
		}
	}
	w.close()
	fmt.Printf("%d of %d checks held\n", held, all)
	if held < all {
		fmt.Printf("red:\n  %s\n", strings.Join(red, "\n  "))
		os.Exit(1)
	}
}

// attempt runs one check; a panic of it is a failure of it alone.
func attempt(w *world, c check) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v", problem)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	return c.run(ctx, w)
}

// same fails when what is there is not what is wanted.
func same[T comparable](what string, got, want T) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%s is %v, not %v", what, got, want)
}

// first is the first of some errors.
func first(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

func contains[T comparable](all []T, wanted T) bool { return slices.Contains(all, wanted) }

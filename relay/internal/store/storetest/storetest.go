// Package storetest is the suite that every [store.Store] passes. An
// implementation's own test is a few lines that call [Run].
package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// now is when the suite takes place; it has a fraction that stores may drop.
func now() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 987, time.UTC) }

// hostile is a name that came from outside as it is: no UTF-8, and with a NUL,
// which are no text to some databases.
const hostile = "wimz\x00\xff"

// Run runs the suite. open returns an empty store and closes it with the test.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, store.Store){
		"users":                  users,
		"passwords":              passwords,
		"disabled users":         disabledUsers,
		"deleted users":          deletedUsers,
		"tokens":                 tokens,
		"devices":                devices,
		"device secrets":         deviceSecrets,
		"ownership":              ownership,
		"release":                release,
		"transfer":               transfer,
		"deleted devices":        deletedDevices,
		"signatures":             signatures,
		"last seen":              lastSeen,
		"pairing":                pairing,
		"pairing codes":          pairingCodes,
		"many revocations":       manyRevocations,
		"concurrent signers":     concurrentSigners,
		"concurrent fleet":       concurrentFleet,
		"concurrent creations":   concurrentCreations,
		"concurrent claims":      concurrentClaims,
		"concurrent transfers":   concurrentTransfers,
		"concurrent revocations": concurrentRevocations,
		"ended context":          endedContext,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func users(t *testing.T, s store.Store) {
	ctx := t.Context()
	ann := store.NewUser("ann@example.com", "hash", now())
	check(t, s.CreateUser(ctx, ann), nil)
	check(t, s.CreateUser(ctx, store.NewUser("ann@example.com", "other", now())), store.ErrTaken)
	check(t, s.CreateUser(ctx, ann), store.ErrTaken)

	got, err := s.UserByEmail(ctx, "ann@example.com")
	check(t, err, nil)
	equal(t, got, ann)
	got, _, err = s.Standing(ctx, ann.ID, "")
	check(t, err, nil)
	equal(t, got, ann)
	equal(t, got.PasswordHash.Reveal(), "hash")

	got, err = s.UserByEmail(ctx, "bob@example.com")
	check(t, err, store.ErrNotFound)
	equal(t, got, store.User{})
	_, _, err = s.Standing(ctx, "", "")
	check(t, err, store.ErrNotFound)
	_, err = s.UserByEmail(ctx, hostile)
	check(t, err, store.ErrNotFound)

	abe := store.NewUser("abe@example.com", "hash", now())
	abe.Disabled = true
	abe.TokensFrom = now().Truncate(time.Second)
	check(t, s.CreateUser(ctx, abe), nil)
	all, err := s.Users(ctx)
	check(t, err, nil)
	if !slices.Equal(all, []store.User{abe, ann}) {
		t.Errorf("got %v", all)
	}
	if s.CreateUser(ctx, store.NewUser("Ann@Example.com", "hash", now())) == nil {
		t.Error("an email that is not in lower case is refused")
	}
}

func devices(t *testing.T, s store.Store) {
	ctx := t.Context()
	owner := user(t, s, "ann@example.com")
	robot := device("wimz_1", owner)
	spare := device("wimz_0", "")
	spare.SignedAt = now().Truncate(time.Second)
	spare.OldSecret = "before"
	check(t, s.CreateDevice(ctx, robot), nil)
	check(t, s.CreateDevice(ctx, spare), nil)
	check(t, s.CreateDevice(ctx, device("wimz_1", "")), store.ErrTaken)
	check(t, s.CreateDevice(ctx, device("wimz_2", "nobody")), store.ErrNotFound)

	got, err := s.Device(ctx, "wimz_1")
	check(t, err, nil)
	equal(t, got, robot)
	equal(t, got.Secret.Reveal(), "secret of wimz_1")
	equal(t, got.Timestamped(), false)
	got, err = s.Device(ctx, "wimz_0")
	check(t, err, nil)
	equal(t, got, spare)
	for _, id := range []wire.DeviceID{"WIMZ_0", "", hostile} {
		got, err = s.Device(ctx, id)
		check(t, err, store.ErrNotFound)
		equal(t, got, store.Device{})
		check(t, s.AcceptSignature(ctx, id, now()), store.ErrNotFound)
	}

	all, err := s.Devices(ctx)
	check(t, err, nil)
	if !slices.Equal(all, []store.Device{spare, robot}) {
		t.Errorf("got %v", all)
	}
}

func ownership(t *testing.T, s store.Store) {
	ctx := t.Context()
	ann, bob := user(t, s, "ann@example.com"), user(t, s, "bob@example.com")
	for id, owner := range map[wire.DeviceID]store.UserID{"c": ann, "a": ann, "b": bob, "d": ""} {
		check(t, s.CreateDevice(ctx, device(id, owner)), nil)
	}
	for owner, want := range map[store.UserID][]wire.DeviceID{ann: {"a", "c"}, bob: {"b"}, "nobody": nil, "": nil} {
		got, err := s.DevicesOf(ctx, owner)
		check(t, err, nil)
		if !slices.Equal(got, want) {
			t.Errorf("devices of %q: got %v, want %v", owner, got, want)
		}
		for _, id := range []wire.DeviceID{"a", "b", "c", "d", "nothing"} {
			entitled(t, s, owner, id, slices.Contains(want, id))
		}
	}
}

func signatures(t *testing.T, s store.Store) {
	ctx := t.Context()
	check(t, s.CreateDevice(ctx, device("wimz_1", "")), nil)
	check(t, s.CreateDevice(ctx, device("wimz_2", "")), nil)
	at := now().Truncate(time.Second)
	for _, step := range []struct {
		offset time.Duration
		want   error
	}{
		{0, nil},
		{0, nil},
		{-time.Second, store.ErrStale},
		{time.Second, nil},
		{0, store.ErrStale},
		{time.Second, nil},
	} {
		check(t, s.AcceptSignature(ctx, "wimz_1", at.Add(step.offset)), step.want)
	}
	check(t, s.AcceptSignature(ctx, "wimz_9", at), store.ErrNotFound)

	got, err := s.Device(ctx, "wimz_1")
	check(t, err, nil)
	equal(t, got.SignedAt, at.Add(time.Second))
	equal(t, got.Timestamped(), true)
	got, err = s.Device(ctx, "wimz_2")
	check(t, err, nil)
	equal(t, got.Timestamped(), false)
}

// concurrentSigners lets the same device sign from many places at once: the
// newest timestamp stays, whatever the order.
func concurrentSigners(t *testing.T, s store.Store) {
	check(t, s.CreateDevice(t.Context(), device("wimz_1", "")), nil)
	const signers = 16
	var wait sync.WaitGroup
	for i := range signers {
		wait.Go(func() {
			err := s.AcceptSignature(t.Context(), "wimz_1", now().Add(time.Duration(i)*time.Second))
			if err != nil && !errors.Is(err, store.ErrStale) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	got, err := s.Device(t.Context(), "wimz_1")
	check(t, err, nil)
	equal(t, got.SignedAt, now().Add((signers-1)*time.Second).Truncate(time.Second))
}

// concurrentFleet lets many devices sign at once: each gets the answer that it would
// get alone, whoever else there is.
func concurrentFleet(t *testing.T, s store.Store) {
	const fleet = 32
	at := now().Truncate(time.Second)
	leaving, leave := context.WithCancel(t.Context())
	defer leave()
	var wait sync.WaitGroup
	sign := func(ctx context.Context, id wire.DeviceID, at time.Time, want error) {
		wait.Go(func() { check(t, s.AcceptSignature(ctx, id, at), want) })
	}
	for i := range fleet {
		id := wire.DeviceID(fmt.Sprintf("wimz_%d", i))
		check(t, s.CreateDevice(t.Context(), device(id, "")), nil)
		check(t, s.AcceptSignature(t.Context(), id, at), nil)
	}
	for i := range fleet {
		id := wire.DeviceID(fmt.Sprintf("wimz_%d", i))
		if i%2 == 0 {
			sign(t.Context(), id, at.Add(time.Minute), nil)
		} else {
			sign(t.Context(), id, at.Add(-time.Second), store.ErrStale)
		}
		sign(t.Context(), "wimz_none", at, store.ErrNotFound)
		sign(t.Context(), hostile, at, store.ErrNotFound)
		wait.Go(func() { _ = s.AcceptSignature(leaving, "wimz_none", at) }) // in time or not
	}
	leave()
	wait.Wait()
	for i := range fleet {
		got, err := s.Device(t.Context(), wire.DeviceID(fmt.Sprintf("wimz_%d", i)))
		check(t, err, nil)
		want := at
		if i%2 == 0 {
			want = at.Add(time.Minute)
		}
		equal(t, got.SignedAt, want)
	}
}

// concurrentCreations lets many take one email: one gets it.
func concurrentCreations(t *testing.T, s store.Store) {
	results := make(chan error, 8)
	for i := range cap(results) {
		go func() {
			hash := fmt.Sprintf("hash %d", i)
			results <- s.CreateUser(t.Context(), store.NewUser("ann@example.com", config.Secret(hash), now()))
		}()
	}
	created := 0
	for range cap(results) {
		switch err := <-results; {
		case err == nil:
			created++
		case !errors.Is(err, store.ErrTaken):
			t.Error(err)
		}
	}
	equal(t, created, 1)
}

func endedContext(t *testing.T, s store.Store) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	check(t, s.CreateDevice(ended, device("wimz_1", "")), context.Canceled)
	_, err := s.Devices(ended)
	check(t, err, context.Canceled)
	_, err = s.Device(t.Context(), "wimz_1")
	check(t, err, store.ErrNotFound)
	check(t, s.AcceptSignature(ended, "wimz_1", now()), context.Canceled)
	check(t, s.Ping(ended), context.Canceled)
	check(t, s.Ping(t.Context()), nil)
	ann := user(t, s, "ann@example.com")
	check(t, s.DeleteUser(ended, ann), context.Canceled)
	_, _, err = s.Standing(t.Context(), ann, "")
	check(t, err, nil)
	revocations(t, s)
}

func user(t *testing.T, s store.Store, email string) store.UserID {
	t.Helper()
	u := store.NewUser(email, "hash", now())
	check(t, s.CreateUser(t.Context(), u), nil)
	return u.ID
}

func device(id wire.DeviceID, owner store.UserID) store.Device {
	return store.Device{ID: id, Secret: config.Secret("secret of " + string(id)), Owner: owner, CreatedAt: now().Truncate(time.Second)}
}

func code(text string) store.CodeHash { return sha256.Sum256([]byte(text)) }

// later is when tokens and codes of the suite expire.
func later() time.Time { return time.Now().Add(time.Hour) }

// revocations expects the whole log, apart from the numbers, which grow.
func revocations(t *testing.T, s store.Store, want ...store.Revocation) {
	t.Helper()
	got, err := s.Revocations(t.Context(), 0)
	check(t, err, nil)
	last := int64(0)
	for i := range got {
		if got[i].Seq <= last {
			t.Errorf("line %d follows line %d", got[i].Seq, last)
		}
		last = got[i].Seq
		got[i].Seq = 0
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	newest, err := s.LastRevocation(t.Context())
	check(t, err, nil)
	equal(t, newest, last)
}

func check(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) || (want == nil) != (got == nil) {
		t.Errorf("got error %v, want %v", got, want)
	}
}

func equal[T comparable](t *testing.T, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

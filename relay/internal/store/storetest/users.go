package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

func passwords(t *testing.T, s store.Store) {
	ctx := t.Context()
	ann, bob := user(t, s, "ann@example.com"), user(t, s, "bob@example.com")
	from := now().Truncate(time.Second)
	for _, step := range []struct {
		tokensFrom, want time.Time
	}{
		{now(), from},
		{now().Add(-time.Hour), from},
		{now().Add(time.Hour), from.Add(time.Hour)},
	} {
		check(t, s.SetPassword(ctx, ann, "new", step.tokensFrom), nil)
		got, _, err := s.Standing(ctx, ann, "")
		check(t, err, nil)
		equal(t, got.PasswordHash.Reveal(), "new")
		equal(t, got.TokensFrom, step.want)
	}
	check(t, s.SetPassword(ctx, "nobody", "new", now()), store.ErrNotFound)
	got, _, err := s.Standing(ctx, bob, "")
	check(t, err, nil)
	equal(t, got.PasswordHash.Reveal(), "hash")
	equal(t, got.TokensFrom, time.Time{})
	revocations(t, s, store.Revocation{User: ann}, store.Revocation{User: ann}, store.Revocation{User: ann})
}

func disabledUsers(t *testing.T, s store.Store) {
	ctx := t.Context()
	ann, bob := user(t, s, "ann@example.com"), user(t, s, "bob@example.com")
	check(t, s.CreateDevice(ctx, device("wimz_1", ann)), nil)
	check(t, s.DisableUser(ctx, ann, true, now()), nil)
	got, _, err := s.Standing(ctx, ann, "")
	check(t, err, nil)
	equal(t, got.Disabled, true)
	equal(t, got.TokensFrom, now().Truncate(time.Second))
	owns(t, s, ann, "wimz_1")
	entitled(t, s, ann, "wimz_1", false)

	check(t, s.DisableUser(ctx, ann, false, now().Add(time.Hour)), nil)
	got, _, err = s.Standing(ctx, ann, "")
	check(t, err, nil)
	equal(t, got.Disabled, false)
	equal(t, got.TokensFrom, now().Truncate(time.Second))
	entitled(t, s, ann, "wimz_1", true)

	for _, disabled := range []bool{true, false} {
		check(t, s.DisableUser(ctx, "nobody", disabled, now()), store.ErrNotFound)
	}
	other, _, err := s.Standing(ctx, bob, "")
	check(t, err, nil)
	equal(t, other.Disabled, false)
	revocations(t, s, store.Revocation{User: ann})
}

func deletedUsers(t *testing.T, s store.Store) {
	ctx := t.Context()
	ann, bob := user(t, s, "ann@example.com"), user(t, s, "bob@example.com")
	for id, owner := range map[wire.DeviceID]store.UserID{"a": ann, "b": bob, "c": ann} {
		check(t, s.CreateDevice(ctx, device(id, owner)), nil)
	}
	check(t, s.RevokeToken(ctx, ann, "t", later()), nil)
	check(t, s.DeleteUser(ctx, ann), nil)
	check(t, s.DeleteUser(ctx, ann), store.ErrNotFound)
	_, _, err := s.Standing(ctx, ann, "t")
	check(t, err, store.ErrNotFound)
	got, err := s.Device(ctx, "a")
	check(t, err, nil)
	equal(t, got, device("a", ""))
	owns(t, s, bob, "b")
	revocations(t, s, store.Revocation{User: ann, Token: "t"},
		store.Revocation{User: ann, Device: "a"}, store.Revocation{User: ann, Device: "c"}, store.Revocation{User: ann})
	user(t, s, "ann@example.com") // the address is free again
}

func tokens(t *testing.T, s store.Store) {
	ctx := t.Context()
	ann, bob := user(t, s, "ann@example.com"), user(t, s, "bob@example.com")
	want, _, err := s.Standing(ctx, ann, "")
	check(t, err, nil)
	standing := func(id store.UserID, token store.TokenID, want bool) {
		t.Helper()
		u, got, failure := s.Standing(ctx, id, token)
		check(t, failure, nil)
		equal(t, u.ID, id)
		equal(t, got, want)
	}
	check(t, s.RevokeToken(ctx, ann, "gone", time.Unix(1, 0)), nil)
	check(t, s.RevokeToken(ctx, ann, "t", later()), nil)
	check(t, s.RevokeToken(ctx, ann, "t", later()), nil) // again
	check(t, s.RevokeToken(ctx, "nobody", "t", later()), store.ErrNotFound)
	standing(ann, "t", true)
	standing(ann, "T", false)
	standing(ann, "", false)
	standing(bob, "t", false)
	standing(ann, "gone", false) // expired, and forgotten at the next one
	got, _, err := s.Standing(ctx, ann, "t")
	check(t, err, nil)
	equal(t, got, want)
	got, revoked, err := s.Standing(ctx, "nobody", "t")
	check(t, err, store.ErrNotFound)
	equal(t, got, store.User{})
	equal(t, revoked, false)
	revocations(t, s, store.Revocation{User: ann, Token: "gone"}, store.Revocation{User: ann, Token: "t"})
}

// manyRevocations reads a long log in pieces.
func manyRevocations(t *testing.T, s store.Store) {
	ctx := t.Context()
	last, err := s.LastRevocation(ctx)
	check(t, err, nil)
	equal(t, last, 0)
	ann := user(t, s, "ann@example.com")
	const many = store.MaxRevocations + 5
	for i := range many {
		check(t, s.RevokeToken(ctx, ann, store.TokenID(fmt.Sprint(i)), later()), nil)
	}
	first, err := s.Revocations(ctx, 0)
	check(t, err, nil)
	equal(t, len(first), store.MaxRevocations)
	rest, err := s.Revocations(ctx, first[len(first)-1].Seq)
	check(t, err, nil)
	equal(t, len(rest), many-store.MaxRevocations)
	last, err = s.LastRevocation(ctx)
	check(t, err, nil)
	equal(t, rest[len(rest)-1].Seq, last)
	for i, r := range slices.Concat(first, rest) {
		equal(t, r.Token, store.TokenID(fmt.Sprint(i)))
	}
	none, err := s.Revocations(ctx, last)
	check(t, err, nil)
	equal(t, len(none), 0)
}

// concurrentRevocations follows the log while many write it: the reader, who
// never looks back, misses none.
func concurrentRevocations(t *testing.T, s store.Store) {
	ctx := t.Context()
	ann := user(t, s, "ann@example.com")
	const writers, each = 8, 25
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for i := range each {
				if err := s.RevokeToken(ctx, ann, store.TokenID(fmt.Sprint(w, i)), later()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { wait.Wait(); close(written) }()

	seen := map[store.TokenID]bool{}
	after := int64(0)
	for done := false; !done; {
		select {
		case <-written:
			done = true // after one more look
		default:
		}
		lines, err := s.Revocations(ctx, after)
		check(t, err, nil)
		for _, r := range lines {
			if r.Seq <= after {
				t.Errorf("line %d comes after line %d", r.Seq, after)
			}
			after = r.Seq
			seen[r.Token] = true
		}
	}
	equal(t, len(seen), writers*each)
}

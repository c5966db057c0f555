package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

func deviceSecrets(t *testing.T, s store.Store) {
	ctx := t.Context()
	check(t, s.CreateDevice(ctx, device("wimz_1", "")), nil)
	check(t, s.CreateDevice(ctx, device("wimz_2", "")), nil)
	has := func(secret, old config.Secret) {
		t.Helper()
		want := device("wimz_1", "")
		want.Secret, want.OldSecret = secret, old
		got, err := s.Device(ctx, "wimz_1")
		check(t, err, nil)
		equal(t, got.Secret.Reveal(), secret.Reveal())
		equal(t, got, want)
	}
	check(t, s.DropOldDeviceSecret(ctx, "wimz_1"), nil)
	has("secret of wimz_1", "")
	check(t, s.AddDeviceSecret(ctx, "wimz_1", "second"), nil)
	has("second", "secret of wimz_1")
	check(t, s.AddDeviceSecret(ctx, "wimz_1", "third"), store.ErrTaken)
	has("second", "secret of wimz_1")
	check(t, s.DropOldDeviceSecret(ctx, "wimz_1"), nil)
	has("second", "")
	check(t, s.AddDeviceSecret(ctx, "wimz_1", "third"), nil)
	has("third", "second")
	check(t, s.AddDeviceSecret(ctx, "wimz_9", "x"), store.ErrNotFound)
	check(t, s.DropOldDeviceSecret(ctx, "wimz_9"), store.ErrNotFound)
	other, err := s.Device(ctx, "wimz_2")
	check(t, err, nil)
	equal(t, other, device("wimz_2", ""))
}

func release(t *testing.T, s store.Store) {
	ctx := t.Context()
	ann, bob := user(t, s, "ann@example.com"), user(t, s, "bob@example.com")
	for id, owner := range map[wire.DeviceID]store.UserID{"a": ann, "b": bob, "c": ann, "free": ""} {
		check(t, s.CreateDevice(ctx, device(id, owner)), nil)
	}
	check(t, s.ReleaseDevice(ctx, "b", ann), store.ErrNotFound)
	check(t, s.ReleaseDevice(ctx, "nothing", ann), store.ErrNotFound)
	check(t, s.ReleaseDevice(ctx, "free", ""), store.ErrNotFound)
	check(t, s.ReleaseDevice(ctx, "a", ann), nil)
	check(t, s.ReleaseDevice(ctx, "a", ann), store.ErrNotFound)
	owns(t, s, ann, "c")
	owns(t, s, bob, "b")
	got, err := s.Device(ctx, "a")
	check(t, err, nil)
	equal(t, got, device("a", ""))
	revocations(t, s, store.Revocation{User: ann, Device: "a"})
}

func transfer(t *testing.T, s store.Store) {
	ctx := t.Context()
	ann, bob := user(t, s, "ann@example.com"), user(t, s, "bob@example.com")
	check(t, s.CreateDevice(ctx, device("a", "")), nil)
	check(t, s.CreateDevice(ctx, device("other", ann)), nil)
	for _, step := range []struct {
		to, owner store.UserID
		want      error
	}{
		{ann, ann, nil},
		{ann, ann, nil}, // nothing to do
		{bob, bob, nil},
		{"nobody", bob, store.ErrNotFound},
		{"", "", nil},
		{"", "", nil},
	} {
		check(t, s.TransferDevice(ctx, "a", step.to), step.want)
		got, err := s.Device(ctx, "a")
		check(t, err, nil)
		equal(t, got, device("a", step.owner))
	}
	check(t, s.TransferDevice(ctx, "nothing", ann), store.ErrNotFound)
	check(t, s.TransferDevice(ctx, "nothing", ""), store.ErrNotFound)
	owns(t, s, ann, "other")
	revocations(t, s, store.Revocation{User: ann, Device: "a"}, store.Revocation{User: bob, Device: "a"})
}

func deletedDevices(t *testing.T, s store.Store) {
	ctx := t.Context()
	ann := user(t, s, "ann@example.com")
	for id, owner := range map[wire.DeviceID]store.UserID{"a": ann, "b": ann, "free": ""} {
		check(t, s.CreateDevice(ctx, device(id, owner)), nil)
	}
	check(t, s.CreatePairing(ctx, "a", code("1"), later()), nil)
	for id, want := range map[wire.DeviceID]error{"a": nil, "free": nil, "nothing": store.ErrNotFound} {
		check(t, s.DeleteDevice(ctx, id), want)
		_, err := s.Device(ctx, id)
		check(t, err, store.ErrNotFound)
	}
	owns(t, s, ann, "b")
	_, err := s.ClaimDevice(ctx, code("1"), ann, now())
	check(t, err, store.ErrNotFound)
	revocations(t, s, store.Revocation{User: ann, Device: "a"})
}

func lastSeen(t *testing.T, s store.Store) {
	ctx := t.Context()
	ann, bob := user(t, s, "ann@example.com"), user(t, s, "bob@example.com")
	for id, owner := range map[wire.DeviceID]store.UserID{"a": ann, "b": bob, "new": ann} {
		check(t, s.CreateDevice(ctx, device(id, owner)), nil)
	}
	was := func(who store.UserID, want map[wire.DeviceID]time.Time) {
		t.Helper()
		got, err := s.LastSeen(ctx, who)
		check(t, err, nil)
		if !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	at := now().Truncate(time.Second)
	was(ann, nil)
	check(t, s.Seen(ctx, map[wire.DeviceID]time.Time{"a": now(), "nothing": at}), nil)
	check(t, s.Seen(ctx, map[wire.DeviceID]time.Time{"a": at.Add(-time.Second)}), nil)
	was(ann, map[wire.DeviceID]time.Time{"a": at})
	was(bob, nil)
	check(t, s.Seen(ctx, map[wire.DeviceID]time.Time{"a": at.Add(time.Minute), "b": at}), nil)
	was(ann, map[wire.DeviceID]time.Time{"a": at.Add(time.Minute)})
	was(bob, map[wire.DeviceID]time.Time{"b": at})
	was("nobody", nil)
}

func pairing(t *testing.T, s store.Store) {
	ctx := t.Context()
	ann, bob := user(t, s, "ann@example.com"), user(t, s, "bob@example.com")
	check(t, s.CreateDevice(ctx, device("a", "")), nil)
	check(t, s.CreateDevice(ctx, device("b", bob)), nil)
	check(t, s.CreatePairing(ctx, "a", code("1"), later()), nil)
	check(t, s.CreatePairing(ctx, "b", code("2"), later()), nil)

	claim(t, s, "other", ann, "", store.ErrNotFound)
	claim(t, s, "1", "nobody", "", store.ErrNotFound)
	claim(t, s, "1", ann, "a", nil)
	claim(t, s, "1", ann, "", store.ErrNotFound) // used up
	claim(t, s, "1", bob, "", store.ErrNotFound)
	claim(t, s, "2", ann, "", store.ErrTaken)
	claim(t, s, "2", ann, "", store.ErrTaken) // it stays
	claim(t, s, "2", bob, "b", nil)           // nothing changes but the code
	claim(t, s, "2", ann, "", store.ErrNotFound)
	owns(t, s, ann, "a")
	owns(t, s, bob, "b")
	revocations(t, s)

	check(t, s.CreatePairing(ctx, "b", code("2"), later()), nil)
	check(t, s.ReleaseDevice(ctx, "b", bob), nil)
	claim(t, s, "2", ann, "b", nil)
	owns(t, s, ann, "a", "b")
}

// pairingCodes shows when a code is good.
func pairingCodes(t *testing.T, s store.Store) {
	ctx := t.Context()
	ann := user(t, s, "ann@example.com")
	check(t, s.CreateDevice(ctx, device("a", "")), nil)
	check(t, s.CreateDevice(ctx, device("b", "")), nil)
	check(t, s.CreatePairing(ctx, "nothing", code("1"), later()), store.ErrNotFound)

	check(t, s.CreatePairing(ctx, "a", code("1"), later()), nil)
	check(t, s.CreatePairing(ctx, "b", code("1"), later()), store.ErrTaken)
	check(t, s.CreatePairing(ctx, "a", code("1"), later()), nil) // its own
	check(t, s.CreatePairing(ctx, "a", code("2"), later()), nil) // replaces it
	claim(t, s, "1", ann, "", store.ErrNotFound)
	check(t, s.CreatePairing(ctx, "b", code("1"), later()), nil) // free again

	for offset, want := range map[time.Duration]error{-time.Minute: store.ErrNotFound, 0: store.ErrNotFound, time.Second: nil} {
		check(t, s.CreatePairing(ctx, "a", code("2"), now().Add(offset)), nil)
		id, err := s.ClaimDevice(ctx, code("2"), ann, now())
		check(t, err, want)
		equal(t, id == "a", want == nil)
	}
}

// concurrentClaims lets many claim one device at once: one gets it.
func concurrentClaims(t *testing.T, s store.Store) {
	ctx := t.Context()
	var people []store.UserID
	for i := range 8 {
		people = append(people, user(t, s, fmt.Sprintf("user%d@example.com", i)))
	}
	check(t, s.CreateDevice(ctx, device("a", "")), nil)
	check(t, s.CreatePairing(ctx, "a", code("1"), later()), nil)
	winners := make(chan store.UserID, len(people))
	for _, id := range people {
		go func() {
			switch _, err := s.ClaimDevice(ctx, code("1"), id, now()); {
			case err == nil:
				winners <- id
			case !errors.Is(err, store.ErrNotFound):
				t.Error(err)
				fallthrough
			default:
				winners <- ""
			}
		}()
	}
	var won []store.UserID
	for range people {
		if id := <-winners; id != "" {
			won = append(won, id)
		}
	}
	got, err := s.Device(ctx, "a")
	check(t, err, nil)
	if !slices.Equal(won, []store.UserID{got.Owner}) {
		t.Errorf("%v claimed it, it is %v's", won, got.Owner)
	}
}

// concurrentTransfers hands a device round: whoever had it and has it no more is
// told so, once for each time.
func concurrentTransfers(t *testing.T, s store.Store) {
	ctx := t.Context()
	check(t, s.CreateDevice(ctx, device("a", "")), nil)
	const many = 8
	results := make(chan error, many)
	for i := range many {
		id := user(t, s, fmt.Sprintf("user%d@example.com", i))
		go func() { results <- s.TransferDevice(ctx, "a", id) }()
	}
	for range many {
		check(t, <-results, nil)
	}
	got, err := s.Device(ctx, "a")
	check(t, err, nil)
	lines, err := s.Revocations(ctx, 0)
	check(t, err, nil)
	told := map[store.UserID]bool{got.Owner: true}
	for _, r := range lines {
		told[r.User] = true
	}
	equal(t, len(lines), many-1)
	equal(t, len(told), many)
}

func claim(t *testing.T, s store.Store, text string, who store.UserID, want wire.DeviceID, wantErr error) {
	t.Helper()
	got, err := s.ClaimDevice(t.Context(), code(text), who, now())
	check(t, err, wantErr)
	equal(t, got, want)
}

func owns(t *testing.T, s store.Store, who store.UserID, want ...wire.DeviceID) {
	t.Helper()
	got, err := s.DevicesOf(t.Context(), who)
	check(t, err, nil)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func entitled(t *testing.T, s store.Store, who store.UserID, id wire.DeviceID, want bool) {
	t.Helper()
	got, err := s.Entitled(t.Context(), who, id)
	check(t, err, nil)
	equal(t, got, want)
}

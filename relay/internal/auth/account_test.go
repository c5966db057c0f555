package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/alexedwards/argon2id"

	"wimz.dev/live/relay/internal/store"
)

const password = "correct horse"

func TestRegisterAndLogin(t *testing.T) {
	ctx := t.Context()
	accounts := NewAccounts(&memory{}, NewPasswords(hashersAtOnce, hashersWaiting), atNoon)
	u, err := accounts.Register(ctx, " Ann@Example.com", password)
	if err != nil || u.Email != "ann@example.com" || u.ID == "" || !u.CreatedAt.Equal(noon) {
		t.Fatalf("got %+v, %v", u, err)
	}
	if !strings.HasPrefix(u.PasswordHash.Reveal(), "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hashed as %s", u.PasswordHash.Reveal()[:40])
	}
	if got, err := accounts.Login(ctx, "ANN@example.com", password); err != nil || got != u {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := accounts.Register(ctx, "ann@example.com", password); !errors.Is(err, store.ErrTaken) {
		t.Errorf("got %v", err)
	}
	for _, tc := range []struct{ email, password, cause string }{
		{"ann@example.com", "wrong horse", "wrong password"},
		{"ann@example.com", "", "wrong password"},
		{"bob@example.com", password, "unknown email"},
		{"not an address", password, "unknown email"},
		{"ann@example.com", strings.Repeat("x", 1025), "password too long"},
	} {
		got, err := accounts.Login(ctx, tc.email, tc.password)
		if got.ID != "" || !errors.Is(err, ErrUnauthenticated) || Cause(err) != tc.cause {
			t.Errorf("%s: got %v, %v (%s), want %s", tc.email, got, err, Cause(err), tc.cause)
		}
	}
}

func TestRegisterRefuses(t *testing.T) {
	accounts := NewAccounts(&memory{}, NewPasswords(hashersAtOnce, hashersWaiting), atNoon)
	for _, tc := range []struct{ email, password, field string }{
		{"ann", password, "email"},
		{"ann@b", "1234567", "password"},
		{"ann@b", strings.Repeat("x", 1025), "password"},
	} {
		_, err := accounts.Register(t.Context(), tc.email, tc.password)
		if invalid, ok := errors.AsType[*InvalidError](err); !ok || invalid.Field != tc.field {
			t.Errorf("got %v, want %s", err, tc.field)
		}
	}
}

// TestUnknownEmailCostsTheSame looks at the work, not at the clock: a login of
// nobody checks a hash with the parameters of a real one.
func TestUnknownEmailCostsTheSame(t *testing.T) {
	p := NewPasswords(hashersAtOnce, hashersWaiting)
	genuine, err := p.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	want, _, _, err := argon2id.DecodeHash(genuine.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	got, _, _, err := argon2id.DecodeHash(p.nobody.Reveal())
	if err != nil || *got != *want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	p.nobody = genuine // even if somebody guessed it
	if match, err := p.Matches(t.Context(), password, ""); match || err != nil {
		t.Errorf("nobody's password: %v, %v", match, err)
	}
}

// TestRefusedLoginsCostTheSame, whatever the cause: one question to the store, and
// one hash, which has to wait for its turn while others are at work.
func TestRefusedLoginsCostTheSame(t *testing.T) {
	passwords := NewPasswords(hashersAtOnce, hashersWaiting)
	users := &memory{}
	accounts := NewAccounts(users, passwords, atNoon)
	for _, email := range []string{"ann@b", "eve@b"} {
		u, err := accounts.Register(t.Context(), email, password)
		if err != nil {
			t.Fatal(err)
		}
		if email == "eve@b" {
			if err := accounts.Disable(t.Context(), u); err != nil {
				t.Fatal(err)
			}
		}
	}
	for cause, login := range map[string][2]string{
		"unknown email":    {"bob@b", password},
		"wrong password":   {"ann@b", "wrong horse"},
		"disabled account": {"eve@b", password},
	} {
		t.Run(cause, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := NewPasswords(hashersAtOnce, hashersWaiting)
				p.nobody = passwords.nobody
				for range hashersAtOnce {
					if err := p.enter(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				users.asked = 0
				refused := make(chan error, 1)
				go func() {
					_, err := NewAccounts(users, p, atNoon).Login(t.Context(), login[0], login[1])
					refused <- err
				}()
				synctest.Wait()
				if len(p.queue) != hashersAtOnce+1 || users.asked != 1 {
					t.Errorf("%d wait for a hash, the store was asked %d times", len(p.queue)-hashersAtOnce, users.asked)
				}
				p.leave()
				if err := <-refused; Cause(err) != cause || err.Error() != ErrUnauthenticated.Error() {
					t.Errorf("got %v (%s)", err, Cause(err))
				}
				p.leave()
				if len(p.queue) != 0 {
					t.Errorf("%d hashes are counted still", len(p.queue))
				}
			})
		})
	}
}

func TestBrokenStoreIsNoWrongPassword(t *testing.T) {
	accounts := NewAccounts(&memory{broken: errBroken}, NewPasswords(hashersAtOnce, hashersWaiting), atNoon)
	if _, err := accounts.Login(t.Context(), "ann@b", password); !errors.Is(err, errBroken) || errors.Is(err, ErrUnauthenticated) {
		t.Errorf("got %v", err)
	}
}

func TestHashersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPasswords(hashersAtOnce, hashersWaiting)
		ctx, cancel := context.WithCancel(t.Context())
		entered := make(chan error, hashersAtOnce+hashersWaiting)
		for range cap(entered) {
			go func() { entered <- p.enter(ctx) }()
		}
		synctest.Wait()
		if n := len(entered); n != hashersAtOnce {
			t.Errorf("%d at work, want %d", n, hashersAtOnce)
		}
		if _, err := p.Hash(ctx, password); !errors.Is(err, ErrBusy) {
			t.Errorf("the next one gets %v", err)
		}
		p.leave()
		synctest.Wait()
		if n := len(entered); n != hashersAtOnce+1 {
			t.Errorf("%d have been at work after one left", n)
		}
		cancel()
		synctest.Wait()
		if n := len(entered); n != cap(entered) || len(p.queue) != hashersAtOnce {
			t.Errorf("%d have come back, %d are still queued", n, len(p.queue))
		}
	})
}

func TestParseEmail(t *testing.T) {
	long := strings.Repeat("a", 60) + "@" + strings.Repeat("b.", 96) + "b"
	for text, want := range map[string]string{
		"a@b": "a@b", "  Ann.Lee+tag@Example.COM\n": "ann.lee+tag@example.com", "é@bücher.de": "é@bücher.de",
		long: long, long + "c": "",
		"": "", "ann": "", "@b": "", "a@": "", "a@b@c": "", "Ann <a@b>": "", "<a@b>": "", `"a b"@c`: "", "a b@c": "", "a@b,c@d": "", "a\x00@b": "", "a@b\nc": "",
		"a\u009b2J@b": "", "a\u202e@b": "", // what a terminal or a reader obeys
	} {
		got, err := ParseEmail(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
	if len(long) != MaxEmail {
		t.Errorf("the longest has %d bytes", len(long))
	}
}

func FuzzParseEmail(f *testing.F) {
	f.Add("Ann@Example.com")
	f.Add("\"a\"@[127.0.0.1]")
	f.Fuzz(func(t *testing.T, text string) {
		email, err := ParseEmail(text)
		if err != nil {
			return
		}
		if again, err := ParseEmail(email); err != nil || again != email || len(email) > MaxEmail || strings.ContainsAny(email, " \"\\") || strings.ContainsFunc(email, unprintable) {
			t.Errorf("%q gives %q, then %q, %v", text, email, again, err)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	p := NewPasswords(hashersAtOnce, hashersWaiting)
	for b.Loop() {
		if _, err := p.Hash(b.Context(), password); err != nil {
			b.Fatal(err)
		}
	}
}

func TestCauseOfOtherErrors(t *testing.T) {
	if Cause(nil) != "" || Cause(errBroken) != "" || Cause(fmt.Errorf("login: %w", deny("x"))) != "x" {
		t.Error("Cause is for denials only")
	}
}

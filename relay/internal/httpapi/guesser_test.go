package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/auth"
)

// from posts an account's password from somewhere, and returns the status.
func (w *world) from(place, path, email, password string) int {
	w.Helper()
	body := fmt.Sprintf(`{"email":%q,"password":%q}`, email, password)
	r := httptest.NewRequestWithContext(w.Context(), http.MethodPost, path, strings.NewReader(body))
	r.RemoteAddr = place
	answer := httptest.NewRecorder()
	w.api.ServeHTTP(answer, r)
	return answer.Code
}

// logIn tries the right password.
func (w *world) logIn(place string) int {
	w.Helper()
	return w.from(place, "/api/auth/login", "ann@example.com", "12345678")
}

// mayTry takes one of the tries and reports whether there was one left. What it
// tries is too short for a password, which spares the time of a hash.
func (w *world) mayTry(place string) bool {
	w.Helper()
	return w.from(place, "/api/auth/register", "Ann@example.com", "guess") != http.StatusTooManyRequests
}

// TestStrangersCannotLockTheOwnerOut: not one who tries without end from one place,
// nor many from many places where the owner has been before.
func TestStrangersCannotLockTheOwnerOut(t *testing.T) {
	w := newWorld(t)
	w.person("ann@example.com")
	const home, hotel = "[2001:db8:1:2:3::4]:1000", "198.51.100.7:1000"
	if status := w.logIn(home); status != 200 {
		t.Fatalf("at home: %d", status)
	}

	refused := 0
	for i := range 100 {
		// A /64 is one place, whatever address in it is used.
		if !w.mayTry(fmt.Sprintf("[2001:db8:bad:bad::%x]:1000", i)) {
			refused++
		}
	}
	if refused < 85 {
		t.Errorf("of 100 guesses from one place %d were refused", refused)
	}
	if status := w.logIn(hotel); status != 200 {
		t.Errorf("at a hotel, while a stranger guesses: %d", status)
	}

	guessed := 0
	for i := range 100 {
		if w.mayTry(fmt.Sprintf("192.0.2.%d:1000", i)) {
			guessed++
		}
	}
	if guessed > 20 {
		t.Errorf("of 100 guesses from as many places %d were heard", guessed)
	}
	for _, place := range []string{strings.Replace(home, "3::4", "5::6", 1), hotel} {
		if status := w.logIn(place); status != 200 {
			t.Errorf("from %s, while many strangers guess: %d", place, status)
		}
	}
	// At home, too, a guess costs one of the tries there are.
	for range 30 {
		w.mayTry(home)
	}
	if status := w.logIn(home); status != 429 {
		t.Errorf("after many guesses at home: %d", status)
	}
}

// TestTooManyAtOnce: who comes while others wait for their password to be checked is
// told to come again.
func TestTooManyAtOnce(t *testing.T) {
	w := newWorld(t, func(o *options) {
		o.http.Accounts = auth.NewAccounts(o.http.Store, auth.NewPasswords(0, 1), time.Now) // none is ever checked
	})
	waiting, hangUp := context.WithCancel(t.Context())
	answers := make(chan *httptest.ResponseRecorder)
	for range 2 {
		go func() {
			answer := httptest.NewRecorder()
			w.api.ServeHTTP(answer, httptest.NewRequestWithContext(waiting, "POST", "/api/auth/login", strings.NewReader(`{}`)))
			answers <- answer
		}()
	}
	if a := <-answers; a.Code != 429 || a.Header().Get("Retry-After") != "1" {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	hangUp()
	<-answers
}

// TestStrangersCannotKeepThePassword: the owner, who has a token, changes it from a
// place that is new, while many try to guess it from many.
func TestStrangersCannotKeepThePassword(t *testing.T) {
	w := newWorld(t)
	_, token := w.person("ann@example.com")
	for i := range 100 {
		w.mayTry(fmt.Sprintf("192.0.2.%d:1000", i))
	}
	if status := w.logIn("198.51.100.7:1000"); status != 429 {
		t.Fatalf("a login among the guesses: %d", status)
	}
	w.is(200, "POST", "/api/auth/password", token, `{"old_password":"12345678","new_password":"another password"}`)
}

// TestATokenGuessesNoPassword faster than strangers do.
func TestATokenGuessesNoPassword(t *testing.T) {
	w := newWorld(t)
	_, token := w.user()
	for range 10 {
		w.is(403, "POST", "/api/auth/password", token, `{"old_password":"guess","new_password":"another password"}`)
	}
	w.is(429, "POST", "/api/auth/password", token, `{"old_password":"12345678","new_password":"another password"}`)
}

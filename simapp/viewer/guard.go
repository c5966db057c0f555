package viewer

import (
	"net"
	"net/http"
	"net/url"
)

// policy lets the page use what this server sends, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"media-src 'self' blob:; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// withHeaders adds what every answer carries.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// ownPagesOnly refuses what a page of another origin asks a visitor's browser
// to send. A program that is no browser says nothing of itself, and passes.
func ownPagesOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked := askedBy(r); asked == stranger {
			refuse(w, http.StatusForbidden, "Only this server's own page may do this.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// thisMachineOnly serves this server's own page, opened under a loopback
// address. A host name that somebody else points at 127.0.0.1 (DNS rebinding)
// is none.
func thisMachineOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if askedBy(r) != ownPage || !isLoopback(r.Host) {
			refuse(w, http.StatusForbidden, "Only this server's own page, opened on this machine, may do this.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// asker is who has caused a request.
type asker int

const (
	unknown asker = iota
	ownPage
	stranger
)

// askedBy believes the browser: Sec-Fetch-Site (W3C Fetch Metadata), or else
// the Origin (RFC 6454).
func askedBy(r *http.Request) asker {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin":
		return ownPage
	case "":
	default:
		return stranger
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return unknown
	}
	if u, err := url.Parse(origin); err == nil && u.Host == r.Host {
		return ownPage
	}
	return stranger
}

// isLoopback reports whether a Host header names this machine by itself.
func isLoopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

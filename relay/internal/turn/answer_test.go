package turn

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pion/stun/v3"

	"wimz.dev/live/relay/wire"
)

func TestSplitURL(t *testing.T) {
	tests := []struct {
		url, scheme string
		port        uint64
		ok          bool
	}{
		{"stun:example.org", "stun", 0, true},
		{"stun:example.org:3478", "stun", 3478, true},
		{"stuns:example.org:5349", "stuns", 5349, true},
		{"turn:192.0.2.1:53?transport=udp", "turn", 53, true},
		{"turns:[2001:db8::1]:443?transport=tcp", "turns", 443, true},
		{"turn:[2001:db8::1]", "turn", 0, true},
		{"turn:2001:db8::1", "", 0, false},
		{"turn:[example.org]:3478", "", 0, false},
		{"stun:example.org?transport=udp", "", 0, false},
		{"turn:example.org?transport=sctp", "", 0, false},
		{"turn:example.org:port", "", 0, false},
		{"turn://example.org", "", 0, false},
		{"turn:user@example.org", "", 0, false},
		{"turn:example.org:", "", 0, false},
		{"turn:example.org:0", "", 0, false},
		{"turn:example.org:65536", "", 0, false},
		{"turn:example.org:053", "turn", 53, true},
		{"turn:53", "turn", 0, true},
		{"turn:[fe80::1%eth0]:3478", "", 0, false},
		{"turn:[::1", "", 0, false},
		{"turn:exa mple.org", "", 0, false},
		{"turn:", "", 0, false},
		{"turn", "", 0, false},
		{"http:example.org", "", 0, false},
		{"", "", 0, false},
	}
	for _, tt := range tests {
		scheme, port, ok := splitURL(tt.url)
		if ok != tt.ok || (ok && (scheme != tt.scheme || port != tt.port)) {
			t.Errorf("splitURL(%q) = %q, %d, %v", tt.url, scheme, port, ok)
		}
	}
}

func TestParseAnswerKeepsWhatIsUsable(t *testing.T) {
	const good = `{"urls":["turn:a:3478?transport=udp","turn:a:53?transport=udp"],"username":"u","credential":"c"}`
	tests := map[string]struct {
		contentType, body, want string
		kind                    Kind
	}{
		"port 53 goes": {
			"application/json", `{"iceServers":[{"urls":["stun:a:3478","stun:a:53"]},` + good + `]}`,
			"[stun:a:3478 turn:a:3478?transport=udp]", "",
		},
		"an entry of port 53 only goes": {
			"application/json; charset=utf-8", `{"iceServers":[{"urls":"stun:a:53"},` + good + `]}`,
			"[turn:a:3478?transport=udp]", "",
		},
		"TURN without credentials goes": {
			"application/json", `{"iceServers":[{"urls":["stun:b","turn:b"],"username":"u"},` + good + `]}`,
			"[stun:b turn:a:3478?transport=udp]", "",
		},
		"TURN without credentials only": {
			"application/json", `{"iceServers":[{"urls":["stun:b","turn:b"],"credential":"c"}]}`, "", KindNoTURN,
		},
		"a bad URL goes": {
			"application/json", `{"iceServers":[{"urls":["https://b"]},` + good + `]}`, "[turn:a:3478?transport=udp]", "",
		},
		"bare list":      {"application/json", `[` + good + `]`, "[turn:a:3478?transport=udp]", ""},
		"empty list":     {"application/json", `{"iceServers":[]}`, "", KindNoTURN},
		"null":           {"application/json", `null`, "", KindNoTURN},
		"no list":        {"application/json", `{}`, "", KindMalformed},
		"wrong shape":    {"application/json", `{"iceServers":["turn:a"]}`, "", KindMalformed},
		"not JSON":       {"application/json", `<html>`, "", KindMalformed},
		"no content":     {"application/json", ``, "", KindMalformed},
		"another type":   {"text/html", `[` + good + `]`, "", KindMalformed},
		"no type":        {"", `[` + good + `]`, "", KindMalformed},
		"malformed type": {"application/json; ;;", `[` + good + `]`, "", KindMalformed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseAnswer(tt.contentType, []byte(tt.body))
			if err != nil {
				var kind Kind
				if e, ok := err.(*Error); ok { //nolint:errorlint // parseAnswer wraps nothing
					kind = e.Kind
				}
				if kind != tt.kind {
					t.Errorf("err = %v, want one that %q", err, tt.kind)
				}
				return
			}
			if got.String() != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}

// Whatever the provider answers, a browser can take what comes out of it.
func FuzzParseAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"iceServers":[{"urls":["stun:a:3478"]},{"urls":["turn:a:3478?transport=udp"],"username":"u","credential":"c"}]}`,
		`{"iceServers":{"urls":"turn:[::1]:53","username":"u","credential":"c"}}`,
		`[{"urls":["turns:a"],"username":"u","credential":"c"}]`,
		`{"iceServers":{"urls":"turn:53","username":"u","credential":"c"}}`,
		`{"iceServers":null}`, `[null]`, `{"iceServers":[{"urls":null}]}`, `0`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := parseAnswer("application/json", body)
		if err != nil {
			if _, ok := err.(*Error); !ok { //nolint:errorlint // parseAnswer wraps nothing
				t.Errorf("%T %v", err, err)
			}
			return
		}
		checkUsable(t, got)
		encoded, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseAnswer("application/json", encoded)
		if err != nil || again.String() != got.String() {
			t.Errorf("%v does not survive the way back: %v, %v", got, again, err)
		}
	})
}

func checkUsable(t *testing.T, servers wire.ICEServers) {
	t.Helper()
	if !servers.HasTURN() {
		t.Error("no TURN server, and no error")
	}
	for _, server := range servers.Servers {
		if len(server.URLs) == 0 {
			t.Error("an entry without a URL")
		}
		for _, url := range server.URLs {
			if strings.HasPrefix(url, "turn") && (server.Username == "" || server.Credential == "") {
				t.Errorf("%q without credentials", url)
			}
			if uri, err := stun.ParseURI(url); err != nil || uri.Port == 53 {
				t.Errorf("%q is not usable: %+v, %v", url, uri, err)
			}
		}
	}
}

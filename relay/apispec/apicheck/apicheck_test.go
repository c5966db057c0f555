package apicheck_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wimz.dev/live/relay/apispec"
	"wimz.dev/live/relay/apispec/apicheck"
	"wimz.dev/live/relay/wire"
)

func checker(t *testing.T) *apicheck.Checker {
	t.Helper()
	c, err := apicheck.New()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// golden returns every golden frame by its file's name.
func golden(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../../../testdata/wire/*.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d golden files: %v", len(files), err)
	}
	frames := map[string][]byte{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		frames[strings.TrimSuffix(filepath.Base(file), ".json")] = text
	}
	return frames
}

// directions of what a party sends and of what it is told.
var (
	said = map[wire.Party]apicheck.Direction{wire.App: apicheck.FromApp, wire.Robot: apicheck.FromRobot}
	told = map[apicheck.Direction]bool{apicheck.ToApp: true, apicheck.ToRobot: true}
)

// TestFramesAreDescribedAsTheyAreRead: what the relay's decoder takes from a
// party is valid by the document, and what it does not take is not.
func TestFramesAreDescribedAsTheyAreRead(t *testing.T) {
	c := checker(t)
	for name, frame := range golden(t) {
		for party, direction := range said {
			_, refused := wire.Decode(frame, party)
			if err := c.Frame(direction, frame); (err == nil) != (refused == nil) {
				t.Errorf("%s from the %s: the code says %v, the document %v", name, party, refused, err)
			}
		}
	}
}

// TestRequiredFieldsAreTheSame leaves out one field after the other.
func TestRequiredFieldsAreTheSame(t *testing.T) {
	c := checker(t)
	for name, frame := range golden(t) {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(frame, &fields); err != nil {
			t.Fatal(err)
		}
		for field := range fields {
			without := maps.Clone(fields)
			delete(without, field)
			less, err := json.Marshal(without)
			if err != nil {
				t.Fatal(err)
			}
			for party, direction := range said {
				_, refused := wire.Decode(less, party)
				if err := c.Frame(direction, less); (err == nil) != (refused == nil) {
					t.Errorf("%s from the %s without %s: the code says %v, the document %v", name, party, field, refused, err)
				}
			}
		}
	}
}

// TestWhatTheRelayWritesIsDescribed: its own golden frames, and no field more.
func TestWhatTheRelayWritesIsDescribed(t *testing.T) {
	c := checker(t)
	seen := map[string]bool{}
	for name, frame := range golden(t) {
		if strings.HasPrefix(name, "accepted_") {
			continue
		}
		m, err := wire.Decode(frame, wire.Relay)
		if err != nil {
			continue // not the relay's
		}
		kind, described := string(m.Type), false
		if m.IsEvent() {
			kind = "event"
		}
		for direction := range told {
			if c.Frame(direction, wire.Encode(m)) == nil {
				described = true
				seen[string(direction)+kind] = true
			}
			more := append([]byte(`{"secret":1,`), wire.Encode(m)[1:]...)
			if !m.IsEvent() && c.Frame(direction, more) == nil {
				t.Errorf("%s: %s with a field that is not described is taken", direction, name)
			}
		}
		if !described {
			t.Errorf("the relay writes %s, which the document knows neither to apps nor to robots", name)
		}
	}
	for direction := range told {
		for _, kind := range c.Types(direction) {
			if !seen[string(direction)+kind] {
				t.Errorf("%s: no golden frame of type %s fits the document", direction, kind)
			}
		}
	}
}

// TestTypesOfEvents: the document has those of CONTRACT.md, which the code has.
func TestTypesOfEvents(t *testing.T) {
	text, err := os.ReadFile("../../wire/CONTRACT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "Events: the known types")
	list, _, _ = strings.Cut(list, "Others are sent as")
	var want []string
	for _, found := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(list, -1) {
		want = append(want, found[1])
	}
	var doc struct {
		Components struct {
			Schemas struct {
				EventType struct{ Enum []string }
			}
		}
	}
	if err := json.Unmarshal(apispec.AsyncAPI(), &doc); err != nil {
		t.Fatal(err)
	}
	got := doc.Components.Schemas.EventType.Enum
	slices.Sort(got)
	if !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("the document has\n%v\nCONTRACT.md has\n%v", got, want)
	}
}

func TestAnswers(t *testing.T) {
	c := checker(t)
	for _, tc := range []struct {
		method, path string
		status       int
		body         string
		ok           bool
	}{
		{"GET", "/health", 200, `{"status":"ok"}`, true},
		{"GET", "/health", 200, `{"status":"bad"}`, false},
		{"GET", "/health", 500, `{"detail":"x"}`, false},
		{"POST", "/api/auth/login", 401, `{"detail":"Wrong"}`, true},
		{"POST", "/api/auth/login", 401, `{}`, false},
		{"POST", "/api/auth/login", 200, `{"token":"t","expires_in":1,"user_id":"u"}`, true},
		{"POST", "/api/auth/login", 200, `{"token":"t"}`, false},
		{"GET", "/api/auth/login", 404, `{"detail":"Not found"}`, true},
		{"GET", "/nowhere", 404, `{"detail":"Not found"}`, true},
		{"GET", "/ws/app", 101, ``, true},
	} {
		if err := c.Answer(tc.method, tc.path, tc.status, []byte(tc.body)); (err == nil) != tc.ok {
			t.Errorf("%s %s %d %s: %v", tc.method, tc.path, tc.status, tc.body, err)
		}
	}
	if !slices.Contains(c.Answers(), "GET /health 200") {
		t.Error("the answers are not told")
	}
}

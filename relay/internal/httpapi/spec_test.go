package httpapi_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryRouteIsDescribed compares the routes in the source with those in the
// OpenAPI document.
func TestEveryRouteIsDescribed(t *testing.T) {
	w := newWorld(t)
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var routes []string
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`HandleFunc\("([A-Z]+ /[^"]*)"`).FindAllStringSubmatch(string(text), -1) {
			routes = append(routes, found[1])
		}
	}
	slices.Sort(routes)
	if !slices.Equal(routes, w.described()) {
		t.Errorf("the code has\n%v\nthe document has\n%v", routes, w.described())
	}
}

// described are the routes in the document, in order.
func (w *world) described() (routes []string) {
	for _, answer := range w.check.Answers() {
		routes = append(routes, answer[:strings.LastIndex(answer, " ")])
	}
	return slices.Compact(routes)
}

func TestDocumentsAreServed(t *testing.T) {
	w := newWorld(t)
	for path, field := range map[string]string{"/openapi.json": "openapi", "/asyncapi.json": "asyncapi"} {
		if a := w.is(200, "GET", path, "", ""); a.body[field] == nil || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %.100s", path, a.text)
		}
	}
}

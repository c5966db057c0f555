package viewer_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// maxPage is what the whole page may weigh in bytes: it is read by phones on bad
// networks.
const maxPage = 150_000

// pageFiles returns the page's files by name.
func pageFiles(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("page/*")
	if err != nil || len(names) == 0 {
		t.Fatalf("no page: %v", err)
	}
	files := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = string(text)
	}
	return files
}

// The page is small, and every part of it is served.
func TestPageIsSmall(t *testing.T) {
	base, _, _ := start(t, nil)
	total := 0
	for name, text := range pageFiles(t) {
		total += len(text)
		if name == "index.html" {
			name = ""
		}
		if got := get(t, base+"/"+name); got.status != http.StatusOK || got.body != text {
			t.Errorf("%s is not served: %d", name, got.status)
		}
	}
	if total > maxPage {
		t.Errorf("the page has %d bytes, want at most %d", total, maxPage)
	}
}

// What the policy forbids would fail in the visitor's browser only.
func TestPageKeepsItsPolicy(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		"a style in the markup":       regexp.MustCompile(`(?i)<style|\sstyle\s*=|setAttribute\(\s*['"]style`),
		"a script in the markup":      regexp.MustCompile(`(?i)<script>|<script[^>]*>[^<]|\son[a-z]+\s*=\s*["']|javascript:`),
		"text read as markup or code": regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc`),
		"another server":              regexp.MustCompile(`(?i)(https?|wss?):?//|(src|href)\s*=\s*["']//|url\(\s*["']?//|@import`),
	}
	for name, text := range pageFiles(t) {
		text = strings.ReplaceAll(text, "http://www.w3.org/2000/svg", "") // a name, not an address
		for what, pattern := range forbidden {
			if found := pattern.FindString(text); found != "" {
				t.Errorf("%s has %s: %q", name, what, found)
			}
		}
	}
}

// A module that is missing, or an element, would stop the page in the browser only.
func TestPartsOfThePageFitTogether(t *testing.T) {
	files := pageFiles(t)
	ids := map[string]int{}
	for _, m := range regexp.MustCompile(`\sid="([^"]+)"`).FindAllStringSubmatch(files["index.html"], -1) {
		if ids[m[1]]++; ids[m[1]] > 1 {
			t.Errorf("two elements are %q", m[1])
		}
	}
	used := map[string]bool{"index.html": true}
	imported := regexp.MustCompile(`from '\./([^']+)'|(?:src|href)="([\w.]+)"`)
	element := regexp.MustCompile(`\$\('([\w-]+)'\)`)
	for name, text := range files {
		for _, m := range imported.FindAllStringSubmatch(text, -1) {
			other := m[1] + m[2]
			used[other] = true
			if _, ok := files[other]; !ok {
				t.Errorf("%s wants %s, which is missing", name, other)
			}
		}
		for _, m := range element.FindAllStringSubmatch(text, -1) {
			if ids[m[1]] == 0 {
				t.Errorf("%s wants the element %q, which is missing", name, m[1])
			}
		}
	}
	for name := range files {
		if !used[name] {
			t.Errorf("nothing uses %s", name)
		}
	}
}

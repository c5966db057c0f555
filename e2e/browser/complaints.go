package browser

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// complaints is what a page's developer would see in the console: exceptions that
// nobody caught, errors, warnings, and what Chromium itself finds wrong.
type complaints struct {
	mu      sync.Mutex
	heard   []string         // guarded by mu
	allowed []*regexp.Regexp // by the spec
}

// Allow lets the page complain of what the spec does to it: text is a regular
// expression.
func (t *Tab) Allow(text string) {
	t.complaints.allowed = append(t.complaints.allowed, regexp.MustCompile(text))
}

// What the browser says of a relay that is gone, or answers with an error.
const (
	CodeRefused   = `^network: Failed to load resource: .* 404 `
	RelayIsGone   = `^network: Failed to load resource: .* 502 |^javascript: WebSocket connection to .* failed|^network: .*(ERR_|WebSocket)`
	LoginRefused  = `^network: Failed to load resource: .* 401 `
	SocketRefused = `^javascript: WebSocket connection to .* failed|^network: WebSocket`
)

// listen asks Chromium for its own findings as well.
func (c *complaints) listen(t *Tab) {
	GinkgoHelper()
	_, err := chromedp.Call(t.Life, audits.Enable, cdp.Empty{})
	Expect(err).NotTo(HaveOccurred())
}

func (c *complaints) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text := "exception: " + e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		c.add(text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			words := []string{"console:"}
			for _, arg := range e.Args {
				words = append(words, string(arg.Value)+arg.Description)
			}
			c.add(strings.Join(words, " "))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			c.add(fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *audits.EventIssueAdded:
		c.add(fmt.Sprintf("issue: %s", e.Issue.Code))
	}
}

func (c *complaints) add(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, text)
}

// expectNone says that there was nothing but what the spec allows: no violation of
// the page's own policy (CSP) either, which Chromium logs.
func (c *complaints) expectNone() {
	GinkgoHelper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var rest []string
	for _, text := range c.heard {
		if !c.expected(text) {
			rest = append(rest, text)
		}
	}
	Expect(rest).To(BeEmpty(), "complaints of the page")
}

func (c *complaints) expected(text string) bool {
	for _, allowed := range c.allowed {
		if allowed.MatchString(text) {
			return true
		}
	}
	return false
}

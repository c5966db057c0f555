package e2e

import (
	"fmt"
	"os"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/browser"
)

// chromium is the one of a run.
var chromium *browser.Chromium

// inBrowser describes what is seen in Chromium.
func inBrowser(text string, body func()) bool { //nolint:unparam // as Describe itself
	return Describe(text, Label("browser"), func() {
		BeforeEach(func() { // before a spec counts goroutines
			if chromium == nil {
				chromium = browser.Start()
			}
		})
		body()
	})
}

var _ = AfterSuite(func() {
	if chromium != nil {
		Expect(chromium.Close()).To(Succeed())
	}
})

var _ = ReportAfterSuite("browser", func(r Report) {
	if slices.ContainsFunc(r.SpecReports, func(s SpecReport) bool { return s.FailureMessage() == browser.Missing }) {
		_, _ = fmt.Fprintln(os.Stdout, browser.Missing)
	}
})

// viewer serves the page for the system's relay and opens it.
func (s *stage) viewer(ctx SpecContext, scripts ...string) *browser.Tab {
	GinkgoHelper()
	return chromium.Visit(s.page(ctx), scripts...)
}

// page serves the page for the system's relay.
func (s *stage) page(ctx SpecContext) (url string) {
	GinkgoHelper()
	return servePage(ctx, s.RelayURL())
}

func servePage(ctx SpecContext, relayURL string) (url string) {
	GinkgoHelper()
	server, err := binaries.Viewer(ctx, "127.0.0.1:0", relayURL, "", GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(server.Stop)
	return server.URL("/")
}

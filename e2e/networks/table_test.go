//go:build linux

package networks

import (
	"fmt"
	"io"
	"regexp"
	"text/tabwriter"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/simapp"
)

// measured is what a spec adds to the table at the end.
type measured struct {
	simapp.Report
	mint time.Duration // of the TURN credentials, as the relay has logged it
	note string
}

// measure adds a report to the table at the end.
func (w *world) measure(r simapp.Report, note string) {
	GinkgoHelper()
	logged := regexp.MustCompile(`session requested".* session=` + string(r.SessionID) + ` .*mint=(\S+)`)
	found := logged.FindSubmatch(w.log.Contents())
	Expect(found).To(HaveLen(2), "the relay logs how long credentials took")
	mint, err := time.ParseDuration(string(found[1]))
	Expect(err).NotTo(HaveOccurred())
	AddReportEntry("measured", measured{r, mint, note}, ReportEntryVisibilityNever)
}

// legend explains the table. The columns from signaling to decode add up to the
// first; gathering, from the app's answer to its last candidate, is beside them.
const legend = "\nMilliseconds from the request to the first picture, and what they went to:\n\n"

// writeTable writes a line for each measured spec.
func writeTable(out io.Writer, r Report) {
	table := tabwriter.NewWriter(out, 0, 0, 1, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(out, legend)
	_, _ = fmt.Fprintln(table, "first\tsignaling\tmint\tICE\tDTLS\tkey frame\tdecode\t(gathering)\t  path\t  an owner sees the picture")
	for _, spec := range r.SpecReports {
		for _, entry := range spec.ReportEntries {
			if m, ok := entry.GetRawValue().(measured); ok {
				_, _ = fmt.Fprintln(table, m.row(spec.LeafNodeText))
			}
		}
	}
	_ = table.Flush()
}

// row is a line of the table.
func (m measured) row(text string) string {
	at := m.Phases
	mint := m.mint.Seconds() * 1000
	row := fmt.Sprintf("%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t", at[simapp.PhaseFrame],
		at[simapp.PhaseAnswer]-mint, mint,
		at[simapp.PhaseConnected]-at[simapp.PhaseAnswer], at[simapp.PhaseSecured]-at[simapp.PhaseConnected],
		at[simapp.PhaseKeyFrame]-at[simapp.PhaseSecured], at[simapp.PhaseFrame]-at[simapp.PhaseKeyFrame])
	if all, ok := at[simapp.PhaseGathered]; ok {
		row += fmt.Sprintf("%.0f", all-at[simapp.PhaseAnswer])
	}
	row += fmt.Sprintf("\t  %s-%s %s\t  %s", m.Pair.Local, m.Pair.Remote, m.Pair.Protocol, text)
	if m.note != "" {
		row += ": " + m.note
	}
	return row
}

package e2e

import (
	"encoding/json"
	"net"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/onsi/gomega/gexec"
	"github.com/onsi/gomega/types"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/cli"
	"wimz.dev/live/simapp/doctor"
)

var _ = Describe("simapp doctor", func() {
	It("says that all is well, through TURN and to the first picture", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		status, results := s.doctor(ctx)
		Expect(status).To(Equal(cli.ExitOK))
		Expect(results["tls"]).To(HaveLen(1), "that there is none")
		delete(results, "tls")
		for name, all := range results {
			Expect(all).To(HaveEach(HaveField("Outcome", doctor.OK)), name)
		}
		Expect(results).To(HaveKeyWithValue("turn udp", said("a packet came through")))
		Expect(results).To(HaveKeyWithValue("turn tcp", said("a packet came through")))
		Expect(results["video"]).To(HaveLen(1))
		Expect(results["video"][0].Video.Pair).To(HaveField("Local", Equal("host")))
		s.expectViewers(ctx, 0)
	}, SpecTimeout(specTime))

	It("says that the TURN server is silent, and that there is a picture all the same", func(ctx SpecContext) {
		silent, err := net.ListenPacket("udp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(silent.Close)
		s := ready(ctx, &binaries, harness.Options{TURN: &harness.TURN{
			Secret: "unused", URLs: []string{"turn:" + silent.LocalAddr().String() + "?transport=udp"},
		}})
		status, results := s.doctor(ctx)
		Expect(status).To(Equal(cli.ExitFailed))
		Expect(results).To(HaveKeyWithValue("credentials", said("1 TURN URL")))
		Expect(results).To(HaveKeyWithValue("stun", said("no answer over UDP")))
		Expect(results).To(HaveKeyWithValue("turn udp", said("no answer")))
		Expect(results["turn udp"]).To(HaveEach(HaveField("Advice", ContainSubstring("firewall"))))
		Expect(results["video"]).To(HaveEach(HaveField("Outcome", doctor.OK)))
	}, SpecTimeout(specTime))

	It("says that the robot is off, and does not wait for its picture", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		status, results := s.doctor(ctx)
		Expect(status).To(Equal(cli.ExitFailed))
		Expect(results).To(HaveKeyWithValue("robots", said(string(robotID)+": offline")))
		Expect(results["robots"]).To(HaveEach(HaveField("Advice", ContainSubstring("switch the robot on"))))
		Expect(results["video"]).To(HaveEach(HaveField("Outcome", doctor.Skipped)))
		Expect(results).To(HaveKeyWithValue("turn udp", said("a packet came through")))
	}, SpecTimeout(specTime))
})

// doctor runs the command as the owner does, and returns its results by check.
func (s *stage) doctor(ctx SpecContext) (status int, results map[string][]doctor.Result) {
	GinkgoHelper()
	s.lossy = true // the credentials it tries are left to expire
	command := binaries.Command("simapp", "doctor", "--json", "--relay", s.RelayURL())
	command.Env = append(command.Env, "SIMAPP_TOKEN="+s.owner.Token)
	run, err := gexec.Start(command, gbytes.NewBuffer(), GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { run.Kill().Wait() })
	Eventually(run).WithContext(ctx).WithTimeout(specTime).Should(gexec.Exit())
	Expect(run.Out.Contents()).NotTo(ContainSubstring(s.owner.Token))
	var report struct {
		OK      bool
		Results []doctor.Result
	}
	Expect(json.Unmarshal(run.Out.Contents(), &report)).To(Succeed())
	Expect(report.OK).To(Equal(run.ExitCode() == cli.ExitOK))
	results = map[string][]doctor.Result{}
	for _, r := range report.Results {
		results[r.Check] = append(results[r.Check], r)
	}
	return run.ExitCode(), results
}

// said expects one result with a text.
func said(text string) types.GomegaMatcher {
	return ConsistOf(HaveField("Text", ContainSubstring(text)))
}

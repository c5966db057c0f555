package e2e

import (
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
)

// configure changes the robot's configuration.
func (s *stage) configure(change func(robot string) string) {
	GinkgoHelper()
	configure(s.configFile, change)
}

func configure(file string, change func(robot string) string) {
	GinkgoHelper()
	robot, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(file, []byte(change(string(robot))), 0o600)).To(Succeed())
}

// brisk brings up a relay and a robot that is online, comes back soon and lets go at
// once: nobody has to wait for it.
func brisk(ctx SpecContext, o harness.Options) *stage {
	GinkgoHelper()
	s := empty(ctx, &binaries, o)
	s.configure(func(robot string) string {
		return strings.NewReplacer("reconnect_delay: 5", "reconnect_delay: 0.5", "webrtc:", "webrtc:\n  linger: 0").Replace(robot)
	})
	Expect(s.StartRobot(ctx, robotID, s.configFile, s.owner)).To(Succeed())
	return s
}

// statistic asks for a field of the video's statistics: of what the path says.
func (t *tab) statistic(expression string) (string, error) {
	return evaluate[string](t, `(async () => {
		const report = await observer.peers.at(-1).getStats();
		const find = (type) => [...report.values()].find((s) => s.type === type);
		const video = [...report.values()].find((s) => s.type === 'inbound-rtp' && s.kind === 'video');
		const pair = report.get(find('transport').selectedCandidatePairId);
		return `+expression+`;
	})()`)
}

// codec is the MIME type of what is decoded.
func (t *tab) codec() (string, error) { return t.statistic("report.get(video.codecId).mimeType") }

// candidate is the kind of this side's end of the path.
func (t *tab) candidate() (string, error) {
	return t.statistic("report.get(pair.localCandidateId).candidateType")
}

package e2e

import (
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/browser"
	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
)

var _ = inBrowser("A new owner with nothing but the page", func() {
	It("opens an account, adds the robot by its code, and sees it", func(ctx SpecContext) {
		const found wire.DeviceID = "wimz_found"
		s := empty(ctx, &binaries, harness.Options{})
		configFile, err := s.AddDevice(ctx, found, harness.User{})
		Expect(err).NotTo(HaveOccurred())
		Expect(s.StartRobot(ctx, found, configFile, harness.User{})).To(Succeed())
		t := s.viewer(ctx)
		t.Allow(browser.CodeRefused)
		Eventually(t.State).Should(Equal("login"))
		t.Click("#login-other")
		t.SignIn(harness.User{Email: "new@example.com", Password: "correct horse battery"})

		Eventually(t.Text("#pair-hint")).Should(ContainSubstring("eight letters"), "there is no robot yet: it asks for one")
		t.Fill("#pair-code", "0000-0000")
		t.Click("#pair-submit")
		Eventually(t.Text("#pair-error")).ShouldNot(BeEmpty())
		code, err := s.PairingCode(ctx, configFile)
		Expect(err).NotTo(HaveOccurred())
		t.Fill("#pair-code", strings.ToLower(code))
		t.Click("#pair-submit")
		t.ExpectLive()
		Expect(browser.Evaluate[string](t, "document.querySelector('#robots').innerText")()).To(ContainSubstring(string(found)))
	}, SpecTimeout(specTime))
})

var _ = inBrowser("The tools below the picture", func() {
	It("change it, keep it, and leave it as it was", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		t := s.viewer(ctx)
		t.SignIn(s.owner)
		t.ExpectLive()
		folder := t.Downloads()

		By("keeping a picture")
		Expect(t.Number(clockAt)()).To(BeNumerically("<", 90), "the overlay's clock is dark")
		t.Click("#snapshot")
		name := awaitFile(ctx, folder, "png")
		Expect(filepath.Base(name)).To(MatchRegexp(`^wimz_abc123-\d{4}-\d\d-\d\d-\d{6}\.png$`))
		Expect(sizeOf(name)).To(Equal(image.Pt(1280, 720)))

		By("recording")
		t.Click("#record")
		Eventually(t.Text("#record-time")).Should(Equal("0:03"))
		t.Click("#record")
		Expect(decodable(ctx, awaitFile(ctx, folder, "mp4", "webm"))).To(BeNumerically(">=", 20), "pictures")

		By("leaving the overlay out")
		t.Click("#overlay")
		Eventually(t.Number(clockAt)).Should(BeNumerically(">", 90), "the sky")

		By("choosing a small picture")
		t.Run(`const quality = document.querySelector('#quality');
			quality.value = 'low';
			quality.dispatchEvent(new Event('change'))`)
		Eventually(t.Number("document.querySelector('video').videoWidth")).Should(BeEquivalentTo(640))
		Eventually(t.Number("document.querySelector('#bars').dataset.bars * 1")).Should(BeNumerically(">", 0), "the robot's report")

		By("filling the screen")
		t.Click("#fullscreen")
		Eventually(browser.Evaluate[bool](t, "document.fullscreenElement !== null")).Should(BeTrue())
		t.Click("#fullscreen")
		Eventually(browser.Evaluate[bool](t, "document.fullscreenElement !== null")).Should(BeFalse())
		t.ExpectMoving()
	}, SpecTimeout(specTime))
})

var _ = inBrowser("The small window", func() {
	It("has the picture while it is asked for, and is offered only where the browser has one", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		url := s.page(ctx)
		t, other := chromium.Visit(url), chromium.Visit(url,
			"delete Document.prototype.pictureInPictureEnabled; delete Element.prototype.requestFullscreen; delete window.MediaRecorder")
		t.SignIn(s.owner)
		t.ExpectLive()
		small := browser.Evaluate[string](t, "document.pictureInPictureElement?.id ?? ''")
		pressed := browser.Evaluate[string](t, "document.querySelector('#pip').ariaPressed")
		t.Click("#pip")
		Eventually(small).Should(Equal("video"))
		Eventually(pressed).Should(Equal("true"))
		t.ExpectMoving()

		By("pressing again")
		t.Click("#pip")
		Eventually(small).Should(BeEmpty())
		Eventually(pressed).Should(Equal("false"))

		By("closing it in the window itself")
		t.Click("#pip")
		Eventually(pressed).Should(Equal("true"))
		t.Run("document.exitPictureInPicture()")
		Eventually(pressed).Should(Equal("false"))

		By("being refused one")
		t.Run("HTMLVideoElement.prototype.requestPictureInPicture = () => Promise.reject(new Error('not now'))")
		t.Click("#pip")
		Eventually(t.Text("#said")).Should(ContainSubstring("does not show the picture in a window of its own now"))
		Expect(pressed()).To(Equal("false"))
		t.Run("Element.prototype.requestFullscreen = () => Promise.reject(new Error('not now'))")
		t.Click("#fullscreen")
		Eventually(t.Text("#said")).Should(ContainSubstring("does not give the page the whole screen now"))

		By("having no such thing")
		other.SignIn(s.owner)
		other.ExpectLive()
		Expect(browser.Evaluate[[]string](other, "[...document.querySelectorAll('button.tool')].filter((e) => e.checkVisibility()).map((e) => e.id)")()).
			To(Equal([]string{"overlay", "snapshot"}))
	}, SpecTimeout(specTime))
})

var _ = inBrowser("A picture that stands still", func() {
	It("is veiled, its age is said, and after a while that the connection is lost; it moves again by itself", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		t := s.viewer(ctx)
		t.SignIn(s.owner)
		t.ExpectLive()
		t.ExpectMoving()
		Expect(t.Text("#badge")()).To(Equal("Live"))
		robot := s.Robots[robotID]
		Expect(robot.Freeze()).To(Succeed())
		DeferCleanup(robot.Thaw)
		Eventually(t.Text("#veil")).Should(MatchRegexp(`video is [1-9] s old`))
		Expect(t.Text("#badge")()).To(BeEmpty(), "what stands still is not live")
		Eventually(t.Text("#status")).Should(MatchRegexp(`Reconnecting, video is [1-9]\d* s old`))
		Eventually(t.Text("#status")).WithTimeout(16 * time.Second).Should(MatchRegexp(`Connection lost(?s:.*)Trying again in \d s`))
		t.ExpectHonest()
		Expect(robot.Thaw()).To(Succeed())
		t.ExpectLive()
		t.ExpectMoving()
	}, SpecTimeout(specTime))
})

// clockAt is how bright the picture is in a corner of the overlay's clock, 0 to 255.
const clockAt = `(() => {
	const video = document.querySelector('video');
	const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
	canvas.getContext('2d').drawImage(video, 0, 0);
	const at = [Math.round(video.videoWidth * .8185), Math.round(video.videoHeight * .03)];
	return canvas.getContext('2d').getImageData(...at, 1, 1).data[0];
})()`

// awaitFile returns the file with one of these endings that is in a folder once the
// browser has written it.
func awaitFile(ctx SpecContext, folder string, endings ...string) (name string) {
	GinkgoHelper()
	Eventually(func() (found []string) {
		for _, ending := range endings {
			matches, _ := filepath.Glob(filepath.Join(folder, "*."+ending)) // the pattern is good
			found = append(found, matches...)
		}
		name = strings.Join(found, " ")
		return found
	}).WithContext(ctx).Should(HaveLen(1), "files of %v", endings)
	return name
}

func sizeOf(name string) image.Point {
	GinkgoHelper()
	file, err := os.Open(name)
	Expect(err).NotTo(HaveOccurred())
	defer file.Close() //nolint:errcheck // it is only read
	picture, err := png.Decode(file)
	Expect(err).NotTo(HaveOccurred())
	return picture.Bounds().Size()
}

// decodable counts the pictures that ffmpeg decodes of a recording.
func decodable(ctx SpecContext, name string) int {
	GinkgoHelper()
	out, err := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-i", name, "-f", "framemd5", "-").Output()
	Expect(err).NotTo(HaveOccurred())
	pictures := 0
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			pictures++
		}
	}
	return pictures
}

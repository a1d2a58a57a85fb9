using System.Net;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests;

/// <summary>What cannot work is said at start, not met at the first session.</summary>
public sealed class SmtpServerOptionsTests
{
    [Theory]
    [InlineData("AUTH")]
    [InlineData("starttls")]
    [InlineData("XYZZY")]
    public void A_listener_cannot_do_without_what_is_no_optional_extension(string keyword)
    {
        var error = Assert.Throws<ArgumentException>(() => new SmtpServer(Options() with { Listeners = [Listener() with { WithoutExtensions = [keyword] }] }));
        Assert.Contains($"'{keyword}', which is none of SIZE 8BITMIME", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1_000_000_000)]
    public void A_hold_without_a_bound_is_no_option(int seconds) =>
        Assert.Throws<ArgumentException>(() => new SmtpServer(Options() with { MaxHold = TimeSpan.FromSeconds(seconds) }));

    /// <summary>Row 66: the name goes into every greeting and every Received field.</summary>
    [Theory]
    [InlineData("mail.example.org\r\nX-Injected: yes")]
    [InlineData("mail.example.org\n")]
    [InlineData("mail example.org")]
    [InlineData("b\u00fccher.example")]
    [InlineData("")]
    public void Row_66_a_host_name_that_could_break_a_header_is_no_option(string hostname) =>
        Assert.Throws<ArgumentException>(() => new SmtpServer(Options() with { Hostname = hostname }));

    private static SmtpListenerOptions Listener() =>
        new() { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None };

    private static SmtpServerOptions Options() => new()
    {
        Hostname = "mail.example.org",
        Listeners = [Listener()],
        Policy = new TestPolicy(),
        Store = new MemoryStore(),
    };
}

using System.Text;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Session;

namespace Postern.Smtp.Tests.Session;

/// <summary>Every place that takes input, given more than it may: refused, and what follows is not taken for something else.</summary>
public sealed class OverlongInputTests
{
    private const string Recipient = "EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@accepted.example>\r\n";

    public static TheoryData<string, string> States() => new()
    {
        { "", "220" },
        { "EHLO c\r\n", "220 250" },
        { "EHLO c\r\nMAIL FROM:<a@example.org>\r\n", "220 250 250" },
        { Recipient, "220 250 250 250" },
        { Recipient + "BDAT 3\r\na\r\n", "220 250 250 250 250" },
    };

    [Theory]
    [MemberData(nameof(States))]
    public async Task Row_80_a_command_of_ten_times_the_limit_is_refused_in_every_state(string reach, string replies)
    {
        foreach (var verb in VerbTable.All)
        {
            var name = verb.Name;
            foreach (var length in (int[])[2048, 20_480])
            {
                // AUTH has a limit of its own.
                var says = $"{reach}{name} {new string('x', name == "AUTH" ? 20_480 : length)}\r\n";
                var answered = await new InMemorySession().PlayAsync(Encoding.Latin1.GetBytes(says));
                Assert.Equal($"{replies} 500", answered);
            }
        }
    }

    [Fact]
    public async Task Row_80_a_sasl_response_of_ten_times_the_limit_is_refused() =>
        Assert.Equal("220 250 500 250 221", await new InMemorySession().PlayAsync(Encoding.Latin1.GetBytes($"EHLO c\r\n{new string('A', 122_880 / 2)}\r\nNOOP\r\nQUIT\r\n")));

    [Theory]
    [InlineData("DATA")]
    [InlineData("BDAT")]
    public async Task Row_79_content_of_ten_times_the_limit_is_552_and_not_kept(string verb)
    {
        var session = new InMemorySession(limits: new SessionLimits { MessageOctets = 1000 });
        var content = string.Concat(Enumerable.Repeat("RSET\r\n", 10_000 / 6));
        var says = Recipient + (verb == "DATA" ? $"DATA\r\n{content}.\r\n" : $"BDAT {content.Length} LAST\r\n{content}") + "NOOP\r\nQUIT\r\n";
        Assert.Equal(verb == "DATA" ? "220 250 250 250 354 552 250 221" : "220 250 250 250 552 250 221", await session.PlayAsync(Encoding.Latin1.GetBytes(says)));
        Assert.Empty(session.Store.Messages);
        Assert.True(session.Store.Octets <= 1000);
    }

    /// <summary>The line is refused; what came behind it is content and must not run.</summary>
    [Theory]
    [InlineData(3000)]
    [InlineData(13_000)]
    public async Task Content_behind_a_data_line_that_is_too_long_is_not_read_as_commands(int spaces)
    {
        var session = new InMemorySession();
        var says = $"{Recipient}DATA{new string(' ', spaces)}\r\nRSET\r\nMAIL FROM:<evil@there.test>\r\n";
        Assert.Equal("220 250 250 250 500", await session.PlayAsync(Encoding.Latin1.GetBytes(says)));
    }

    [Theory]
    [InlineData(3000, "220 250 250 250 500 250 221")]
    [InlineData(13_000, "220 250 250 250 500")]
    public async Task A_chunk_behind_a_bdat_line_that_is_too_long_is_not_read_as_commands(int spaces, string replies)
    {
        var session = new InMemorySession();
        var says = $"{Recipient}BDAT{new string(' ', spaces)}6\r\nQUIT\r\nRSET\r\nQUIT\r\n";
        Assert.Equal(replies, await session.PlayAsync(Encoding.Latin1.GetBytes(says)));
    }

    [Fact]
    public async Task A_data_line_that_is_too_long_and_alone_leaves_the_session_open()
    {
        var says = Encoding.Latin1.GetBytes($"{Recipient}DATA{new string(' ', 3000)}\r\nRSET\r\nQUIT\r\n");
        var alone = says.Length - "RSET\r\nQUIT\r\n".Length;
        Assert.Equal("220 250 250 250 500 250 221", await new InMemorySession().PlayAsync(says, alone));
    }

    [Theory]
    [InlineData(16_385, 2048)]
    [InlineData(12_288, 16_385)]
    public void A_line_limit_above_what_can_be_held_is_refused_by_the_server(int sasl, int command)
    {
        var limits = new SessionLimits { SaslOctets = sasl, CommandOctets = command };
        var error = Assert.Throws<ArgumentException>(() => new InMemorySession(limits: limits));
        Assert.Contains("16384", error.Message);
        _ = new InMemorySession(limits: new SessionLimits { SaslOctets = 16_384, CommandOctets = 16_384 });
    }
}

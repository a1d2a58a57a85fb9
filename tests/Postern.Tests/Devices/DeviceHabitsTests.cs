using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Tests.Devices;

/// <summary>
/// What printers and scanners do, against docs/examples/devices: a transcript a habit, in Habits/. <c># to</c> is the listener, scanners unless
/// said, <c># from</c> the client's address. Behind <c>=</c>: <c>sent SENDER to RECIPIENTS</c>, as the next hop got it; then of that message
/// <c>header TEXT</c>, <c>no TEXT</c> (no field begins so) and <c>content TEXT</c>.
/// </summary>
public sealed class DeviceHabitsTests(DeviceServer server) : IClassFixture<DeviceServer>
{
    private static readonly string Folder = SourceTree.PathOf("tests/Postern.Tests/Devices/Habits");

    private SinkMessage? sent;

    public static TheoryData<string> Habits() => [.. Directory.EnumerateFiles(Folder, "*.smtp").Select(static f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Habits))]
    public async Task A_device_may_have_this_habit(string habit)
    {
        var transcript = Transcript.Load(Path.Combine(Folder, habit + ".smtp"));
        await using var device = await SmtpDialogue.OpenAsync(
            server.Example.Of(transcript.Setup.GetValueOrDefault("to", "scanners")), IPAddress.Parse(transcript.Setup.GetValueOrDefault("from", "127.0.0.1")));
        foreach (var line in transcript.Lines)
        {
            if (line.IsClient)
                await device.WriteAsync(line.ToOctets());
            else if (line.Kind[0] == 'S')
                Expect(line.Text, (await device.ReadReplyAsync()).Split('\n')[^1], $"{habit}: {line}");
            else
                await ActAsync(device, line.Text.Split(' ', 2));
        }
    }

    private async Task ActAsync(SmtpDialogue device, string[] action)
    {
        switch (action[0])
        {
            case "tls":
                await device.StartTlsAsync();
                break;
            case "closed":
                Assert.Empty(await device.ReadToEndAsync());
                break;
            case "sent":
                sent = await server.Example.Sink.NextMessageAsync();
                Assert.Equal(action[1], $"{sent.Sender} to {string.Join(' ', sent.Recipients)}");
                break;
            case "header":
                Assert.Contains(Header(), field => Regex.IsMatch(field, Pattern(action[1]), RegexOptions.NonBacktracking));
                break;
            case "no":
                Assert.DoesNotContain(Header(), field => field.StartsWith(action[1], StringComparison.OrdinalIgnoreCase));
                break;
            case "content":
                Assert.Contains(Encoding.Latin1.GetString(Transcript.Unescape(action[1])), sent!.Text, StringComparison.Ordinal);
                break;
            default:
                Assert.Fail($"unknown action '{action[0]}'");
                break;
        }
    }

    private string[] Header() => sent!.Text.Split("\r\n\r\n")[0].Replace("\r\n ", " ", StringComparison.Ordinal).Split("\r\n");

    private static void Expect(string pattern, string received, string where) =>
        Assert.True(Regex.IsMatch(received, Pattern(pattern), RegexOptions.NonBacktracking), $"{where}\nreceived: {received}");

    private static string Pattern(string text) => $"^{Regex.Escape(text).Replace("\\*", ".*", StringComparison.Ordinal)}$";
}

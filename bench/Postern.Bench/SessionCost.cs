using System.Net;
using System.Text;
using Postern.Smtp;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Bench;

/// <summary>
/// What a session costs a command, with nothing around it: input that is always there, output that goes nowhere, a policy and a store
/// that do nothing. CPU time and allocations of the process, after warm-up.
/// </summary>
internal static class SessionCost
{
    private const string Content = "Sixty-two octets of text and the end of a line, again and again.\r\n";

    private static readonly (string Name, int Commands, string Input)[] Rows =
    [
        ("NOOP", 1, "NOOP\r\n"),
        ("RSET", 1, "RSET\r\n"),
        ("MAIL RSET", 2, "MAIL FROM:<lisa@example.org>\r\nRSET\r\n"),
        ("MAIL SIZE= BODY= RSET", 2, "MAIL FROM:<lisa@example.org> SIZE=4096 BODY=8BITMIME\r\nRSET\r\n"),
        ("MAIL RCPT RSET", 3, "MAIL FROM:<lisa@example.org>\r\nRCPT TO:<bart@accepted.example>\r\nRSET\r\n"),
        ("a 4 KiB message", 1, $"MAIL FROM:<lisa@example.org>\r\nRCPT TO:<bart@accepted.example>\r\nDATA\r\n{string.Concat(Enumerable.Repeat(Content, 62))}.\r\n"),
    ];

    public static async Task RunAsync()
    {
        Console.WriteLine($"{"input",-24} {"ns CPU a command",18} {"octets allocated",18}");
        foreach (var (name, commands, input) in Rows)
        {
            var rounds = input.Length > 1000 ? 20_000 : 300_000;
            await PlayAsync(input, rounds);
            GC.Collect();
            var (allocated, cpu) = (GC.GetTotalAllocatedBytes(precise: true), Environment.CpuUsage.TotalTime);
            await PlayAsync(input, rounds);
            var count = (double)rounds * commands;
            var nanoseconds = (Environment.CpuUsage.TotalTime - cpu).TotalNanoseconds / count;
            Console.WriteLine($"{name,-24} {nanoseconds,18:0} {(GC.GetTotalAllocatedBytes(precise: true) - allocated) / count,18:0.0}");
        }
    }

    private static async Task PlayAsync(string input, int rounds)
    {
        await using var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "bench.example.org",
            Listeners = [new SmtpListenerOptions { Name = "bench", Endpoints = [], Tls = TlsMode.None, Auth = AuthMode.Off }],
            Policy = new TestPolicy(),
            Store = new DiscardingStore(),
            Limits = new() { CommandsPerMessage = int.MaxValue / 2 },
        });
        await using var stream = new EndlessInput(Encoding.ASCII.GetBytes(input), rounds);
        await server.HoldAsync(stream, server.Options.Listeners[0], IPAddress.Loopback);
    }
}

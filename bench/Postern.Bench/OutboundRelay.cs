using System.Diagnostics;
using System.Globalization;
using System.Net;
using Postern.Relay.Audit;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Bench;

/// <summary>
/// What leaves the queue: messages of 4 KiB from a spool on disk, over TLS with a login, to next hops that are near and far, one or many;
/// with the log as a server writes it. The hops are a process of their own.
/// </summary>
internal static class OutboundRelay
{
    private const int Octets = 4096;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <param name="numbers">Messages; then, where only one cell is wanted, the round trip, the destinations and the messages in flight.</param>
    public static async Task<int> RunAsync(int[] numbers)
    {
        var messages = numbers[0];
        Console.WriteLine($"{messages} messages of {Octets} octets, TLS 1.3, AUTH PLAIN");
        Console.WriteLine($"{"round trip",10} {"destinations",12} {"relayed/s",10} {"CPU s/1,000",12} {"connections",12}");
        var isAll = true;
        foreach (var latency in numbers.Length > 1 ? [numbers[1]] : new[] { 0, 20, 200 })
        {
            foreach (var destinations in numbers.Length > 2 ? [numbers[2]] : new[] { 1, 10, 1000 })
                isAll &= await MeasureAsync(messages, latency, destinations, numbers.Length > 3 ? numbers[3] : null).ConfigureAwait(false);
        }

        return isAll ? 0 : 1;
    }

    private static async Task<bool> MeasureAsync(int messages, int latency, int destinations, int? inFlight)
    {
        var directory = Directory.CreateTempSubdirectory("postern-outbound-");
        using var hops = await HopProcess.StartAsync(latency).ConfigureAwait(false);
        try
        {
            var clock = TimeProvider.System;
            await using var spool = await SpoolOptions.Local(Path.Combine(directory.FullName, "spool")).OpenAsync(clock, CancellationToken.None).ConfigureAwait(false);
            await FillAsync(spool, messages, destinations).ConfigureAwait(false);
            await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = Path.Combine(directory.FullName, "logs") }, clock);
            var options = Options(hops, destinations, inFlight);
            await using var scheduler = new DeliveryScheduler(spool, new SmtpDelivery(options, clock), options, log, clock);
            using var self = Process.GetCurrentProcess();
            var (cpu, begun) = (self.TotalProcessorTime, clock.GetTimestamp());
            await scheduler.StartAsync(newest: null, CancellationToken.None).ConfigureAwait(false);
            while (spool.Count > 0 && clock.GetElapsedTime(begun) < Patience)
                await Task.Delay(2).ConfigureAwait(false);
            var took = clock.GetElapsedTime(begun);
            self.Refresh();
            cpu = self.TotalProcessorTime - cpu;
            var left = spool.Count;
            var (taken, connections) = await hops.EndAsync().ConfigureAwait(false);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{latency,7} ms {destinations,12} {taken / took.TotalSeconds,10:0} {cpu.TotalSeconds / taken * 1000,12:0.000} {connections,12}{(left > 0 || taken != messages ? $"  {left} left, {taken} taken" : string.Empty)}"));
            if (left == 0)
                return true;
            await log.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            Console.WriteLine(Directory.GetFiles(directory.FullName, "*.jsonl", SearchOption.AllDirectories).SelectMany(File.ReadLines).Last());
            return false;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>
    /// A destination is an address of the loopback network; all of them lead to the same hops, whose certificate is for none of them.
    /// </summary>
    private static DeliveryOptions Options(HopProcess hops, int destinations, int? inFlight)
    {
        var login = new ClientLogin(new SaslClientCredentials { User = HopProcess.User, Password = new Secret(HopProcess.Password) }) { AllowsExposure = true };
        var routes = Enumerable.Range(0, destinations).Select(i =>
            new Route(DomainOf(i), string.Create(CultureInfo.InvariantCulture, $"smtp://127.0.{1 + (i / 250)}.{1 + (i % 250)}:{hops.Port}?tls=opportunistic"))
            {
                Login = login,
                InFlight = inFlight,
            });
        return new DeliveryOptions
        {
            Hostname = Domain.Parse("bench.example.org"),
            Routes = RouteTable.Parse([.. routes]) is RouteParse.Ok ok ? ok.Table : throw new InvalidOperationException("these are routes"),
        };
    }

    private static string DomainOf(int destination) => string.Create(CultureInfo.InvariantCulture, $"d{destination}.example.com");

    private static Task FillAsync(ISpool spool, int messages, int destinations)
    {
        var line = "Sixty-two octets of text and the end of a line, again and again.\r\n"u8;
        var content = new byte[Octets];
        "Subject: bench\r\nFrom: a@example.org\r\n\r\n"u8.CopyTo(content);
        for (var at = 39; at < Octets; at += line.Length)
            line[..Math.Min(line.Length, Octets - at)].CopyTo(content.AsSpan(at));
        "\r\n"u8.CopyTo(content.AsSpan(Octets - 2));
        return Parallel.ForAsync(0, messages, new ParallelOptions { MaxDegreeOfParallelism = 256 }, async (i, ct) =>
        {
            var now = TimeProvider.System.GetUtcNow();
            var envelope = new Envelope
            {
                Id = QueueId.New(TimeProvider.System),
                ArrivedAt = now,
                Said = new(new ReversePath(Mailbox.Parse("a@example.org")), [Mailbox.Parse($"b@{DomainOf(i % destinations)}")]),
                Login = "a@example.org",
                Client = IPAddress.Loopback,
                Listener = "submission",
            };
            await using var draft = spool.CreateDraft();
            await draft.AppendAsync(content, ct).ConfigureAwait(false);
            await draft.CommitAsync(envelope, DeliveryState.Fresh(1, now), ct).ConfigureAwait(false);
        });
    }
}

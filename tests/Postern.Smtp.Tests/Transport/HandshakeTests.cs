using System.Net.Security;
using System.Net.Sockets;
using Postern.Smtp.Transport;
using Postern.Smtp.Transport.Tls;
using Postern.Testing;

namespace Postern.Smtp.Tests.Transport;

/// <summary>Handshakes that are not wanted: injected, never finished, too many at once, or torn down in the middle of a message.</summary>
public sealed class HandshakeTests : IDisposable
{
    private static readonly TlsOptions Tls = new(TestCertificate.Instance);
    private static readonly SslClientAuthenticationOptions Client = new() { TargetHost = "localhost", RemoteCertificateValidationCallback = static (_, _, _, _) => true };

    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));

    private CancellationToken Ct => patience.Token;

    /// <summary>Rows 13, 14, 16 and 17: also with a ClientHello right behind it, in every spelling, from many clients at once.</summary>
    [Fact]
    public async Task Row_13_commands_injected_behind_starttls_get_no_reply_in_200_sessions_at_once()
    {
        string[] spellings = ["STARTTLS", "starttls", "StartTLS", "STARTTLS ", "STARTTLS\t", "sTaRtTlS \t "];
        string[] injections = ["RSET\r\nNOOP\r\n", "EHLO injected\r\nMAIL FROM:<a@example.org>\r\n", "N", "\r\n", "STARTTLS\r\n"];
        var hello = await ClientHelloAsync();
        await using var rig = new TlsRig(Tls, static l => l with { Tls = TlsMode.StartTls });
        await Task.WhenAll(Enumerable.Range(0, 200).Select(InjectAsync));
        Assert.Empty(rig.Store.Messages);

        async Task InjectAsync(int i)
        {
            await using var client = await RawClient.ConnectAsync(rig.Server, Ct);
            Assert.StartsWith("220 ", await client.ReadLineAsync(Ct));
            Assert.StartsWith("250 ", await client.SayAsync("EHLO c", Ct));
            var plain = System.Text.Encoding.Latin1.GetBytes($"{spellings[i % spellings.Length]}\r\n{injections[i % injections.Length]}");
            await client.SendAsync(new ReadOnlyMemory<byte>([.. plain, .. hello]), Ct);
            Assert.StartsWith("554 5.5.0 ", await client.ReadLineAsync(Ct));
            Assert.Null(await client.ReadLineAsync(Ct));
        }
    }

    [Fact]
    public async Task Row_18_commands_in_clear_instead_of_a_handshake_are_never_answered()
    {
        await using var rig = new TlsRig(Tls, static l => l with { Tls = TlsMode.StartTls });
        await using var client = await RawClient.ConnectAsync(rig.Server, Ct);
        await client.ReadLineAsync(Ct);
        await client.SayAsync("EHLO c", Ct);
        Assert.StartsWith("220 ", await client.SayAsync("STARTTLS", Ct));
        await client.SendAsync("EHLO again\r\nMAIL FROM:<a@example.org>\r\nQUIT\r\n", Ct);

        // A TLS alert is no line; what matters is that nothing else comes.
        Assert.Null(await client.ReadLineAsync(Ct));
        Assert.NotEmpty(rig.NextFailure(Ct));
    }

    /// <summary>Row 20: after close_notify no octet counts, in clear or not.</summary>
    [Fact]
    public async Task Row_20_an_octet_in_clear_behind_the_end_of_tls_ends_the_session_and_stores_nothing()
    {
        await using var rig = new TlsRig(Tls);
        using var socket = await rig.ConnectAsync(Ct);
        await using var tls = new SslStream(new NetworkStream(socket));
        await tls.AuthenticateAsClientAsync(Client, Ct);
        using var reader = new StreamReader(tls, leaveOpen: true);
        await reader.ReadLineAsync(Ct);
        foreach (var line in (string[])["HELO c", "MAIL FROM:<a@example.org>", "RCPT TO:<b@accepted.example>", "DATA"])
        {
            await tls.WriteAsync(System.Text.Encoding.Latin1.GetBytes(line + "\r\n"), Ct);
            Assert.Matches("^(250|354) ", await reader.ReadLineAsync(Ct));
        }

        await tls.WriteAsync("half a message\r\n"u8.ToArray(), Ct);
        await tls.ShutdownAsync();
        await socket.SendAsync("A\r\n.\r\n"u8.ToArray(), Ct);

        await UntilAsync(() => rig.Server.Connections == 0);
        Assert.Empty(rig.Store.Messages);
        Assert.Equal(1, rig.Store.Discarded);
    }

    /// <summary>Row 26: who is waited for holds no slot, so one slot is enough for any number of them.</summary>
    [Fact]
    public async Task Row_26_a_client_gets_in_while_300_others_sit_in_the_middle_of_their_handshakes()
    {
        var hello = await ClientHelloAsync();
        await using var rig = new TlsRig(Tls, change: static o => o with { MaxHandshakes = 1 });
        var stuck = new List<Socket>();
        try
        {
            for (var i = 0; i < 300; i++)
            {
                var socket = await rig.ConnectAsync(Ct);
                stuck.Add(socket);
                var whole = i % 3 == 0;
                await socket.SendAsync(i % 3 == 1 ? hello.AsMemory(0, hello.Length / 2) : whole ? hello : ReadOnlyMemory<byte>.Empty, Ct);

                // The server's half is there: it has computed, and waits for the rest.
                if (whole)
                    Assert.Equal(1, await socket.ReceiveAsync(new byte[1], Ct));
            }

            await UntilAsync(() => rig.Server.Connections == 300);
            await rig.VisitAsync(Client, Ct);
            await rig.VisitAsync(Client, Ct);
            Assert.True(rig.Server.Connections >= 300);
            Assert.False(rig.HasFailures);
        }
        finally
        {
            foreach (var socket in stuck)
                socket.Dispose();
        }

        await UntilAsync(() => rig.Server.Connections == 0);
    }

    [Fact]
    public async Task A_handshake_waits_for_its_turn_no_longer_than_its_deadline_and_open_sessions_go_on()
    {
        await using var rig = new TlsRig(Tls, change: static o => o with { MaxHandshakes = 1 });
        await using var open = new SslStream(new NetworkStream(await rig.ConnectAsync(Ct), ownsSocket: true));
        await open.AuthenticateAsClientAsync(Client, Ct);
        using var reader = new StreamReader(open);
        Assert.StartsWith("220 ", await reader.ReadLineAsync(Ct));

        await rig.Server.Handshakes.TakeAsync(Ct);
        await using var late = new SslStream(new NetworkStream(await rig.ConnectAsync(Ct), ownsSocket: true));
        var refused = late.AuthenticateAsClientAsync(Client, Ct);
        await open.WriteAsync("NOOP\r\n"u8.ToArray(), Ct);
        Assert.StartsWith("250 ", await reader.ReadLineAsync(Ct));
        while (!rig.HasFailures)
        {
            rig.Clock.Advance(TimeSpan.FromSeconds(10));
            await open.WriteAsync("NOOP\r\n"u8.ToArray(), Ct);
            Assert.StartsWith("250 ", await reader.ReadLineAsync(Ct));
        }

        Assert.Equal("the handshake took too long", rig.NextFailure(Ct));
        await Assert.ThrowsAnyAsync<IOException>(() => refused);

        rig.Server.Handshakes.GiveBack();
        await rig.VisitAsync(Client, Ct);
    }

    [Fact]
    public async Task Slots_go_round_in_order_of_arrival_and_past_those_who_gave_up()
    {
        var slots = new HandshakeSlots(1);
        await slots.TakeAsync(Ct);
        using var tired = new CancellationTokenSource();
        var first = slots.TakeAsync(tired.Token).AsTask();
        var second = slots.TakeAsync(Ct).AsTask();
        var third = slots.TakeAsync(Ct).AsTask();
        await tired.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        slots.GiveBack();
        await second;
        Assert.False(third.IsCompleted);
        slots.GiveBack();
        await third;
        slots.GiveBack();
        Assert.True(slots.TakeAsync(Ct).AsTask().IsCompletedSuccessfully);
        Assert.Throws<ArgumentOutOfRangeException>(static () => new HandshakeSlots(0));
    }

    public void Dispose() => patience.Dispose();

    /// <summary>What a client says first.</summary>
    private static async Task<byte[]> ClientHelloAsync()
    {
        var wire = new MemoryStream();
        await using var client = new SslStream(wire);
        await Assert.ThrowsAnyAsync<IOException>(() => client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, TestContext.Current.CancellationToken));
        return wire.ToArray();
    }

    private async Task UntilAsync(Func<bool> holds)
    {
        while (!holds())
        {
            Ct.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}

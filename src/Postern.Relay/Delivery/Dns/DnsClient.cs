using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Postern.Relay.Delivery.Dns;

/// <summary>
/// A stub resolver: asks recursive resolvers over UDP, over TCP where the answer was truncated. Each question has a random id and, by
/// a socket of its own, a random port; an answer counts only from the asked address, with that id and that question (RFC 5452).
/// </summary>
internal sealed class DnsClient(ResolverList resolvers, TimeSpan timeout, TimeProvider clock)
{
    private const int Rounds = 2;
    private const int MaxStrays = 100;
    private const int MaxQuestion = 512;

    /// <summary>Answers of resolvers that leave aliases to who asks.</summary>
    private const int MaxAliases = 8;

    private static readonly TimeSpan NegativeTtl = TimeSpan.FromMinutes(1);

    /// <summary>Counts what is asked; null: nobody does.</summary>
    public DeliveryInstruments? Instruments { private get; init; }

    /// <summary>
    /// Asks each resolver in turn, twice over, until one gives an answer that can be used. An alias whose target is not in the same answer
    /// is asked about at the target; the whole is as weak as its weakest answer (RFC 7672 §2.1.3).
    /// </summary>
    public ValueTask<DnsAnswer> QueryAsync(string name, DnsType type, CancellationToken ct) =>
        Instruments is { CountsLookups: true } counted
            ? CountedAsync(FollowAsync(name, type, ct), type, counted)
            : FollowAsync(name, type, ct);

    private static async ValueTask<DnsAnswer> CountedAsync(ValueTask<DnsAnswer> asking, DnsType type, DeliveryInstruments counted)
    {
        var answer = await asking.ConfigureAwait(false);
        counted.LookedUp(type, answer.Status);
        return answer;
    }

    private async ValueTask<DnsAnswer> FollowAsync(string name, DnsType type, CancellationToken ct)
    {
        var answer = await QueryOnceAsync(name, type, ct).ConfigureAwait(false);
        var asked = name;
        for (var aliases = 0; aliases < MaxAliases && LeadsOn(answer, asked); aliases++)
        {
            asked = answer.CanonicalName;
            var next = await QueryOnceAsync(asked, type, ct).ConfigureAwait(false);
            answer = next with
            {
                IsAuthentic = next.IsAuthentic && answer.IsAuthentic,
                Ttl = next.Ttl < answer.Ttl ? next.Ttl : answer.Ttl,
            };
        }

        return answer;
    }

    private static bool LeadsOn(DnsAnswer answer, string asked) =>
        answer is { Status: DnsStatus.NoData, CanonicalName.Length: > 0 }
        && !answer.CanonicalName.Equals(asked, StringComparison.OrdinalIgnoreCase);

    private async ValueTask<DnsAnswer> QueryOnceAsync(string name, DnsType type, CancellationToken ct)
    {
        var (servers, problem) = resolvers.Now();
        var detail = problem ?? "no resolver is known";
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var resolver in servers)
            {
                var (answer, failure) = await AskAsync(resolver, name, type, ct).ConfigureAwait(false);
                if (answer is not null)
                    return answer;
                detail = $"{type.ToString().ToUpperInvariant()} of {name} asked of {resolver}: {failure}";
            }
        }

        return DnsAnswer.Unavailable(detail);
    }

    private async ValueTask<(DnsAnswer? Answer, string? Failure)> AskAsync(
        IPEndPoint resolver, string name, DnsType type, CancellationToken ct)
    {
        using var deadline = new CancellationTokenSource(timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        var question = new byte[MaxQuestion];
        var id = (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1);
        var length = DnsMessage.WriteQuestion(question, id, name, type, asksWhetherAuthentic: resolvers.Believes(resolver));
        if (length == 0)
            return (new DnsAnswer(DnsStatus.NoSuchDomain, [], NegativeTtl, $"{name} is not a name that DNS can hold"), null);
        try
        {
            var response = await AskUdpAsync(resolver, question.AsMemory(0, length), name, type, either.Token).ConfigureAwait(false);
            if (response is { IsTruncated: true })
                response = await AskTcpAsync(resolver, question.AsMemory(0, length), name, type, either.Token).ConfigureAwait(false);
            return response is null
                ? (null, "malformed answer")
                : Judge(response with { IsAuthentic = response.IsAuthentic && resolvers.Believes(resolver) }, name, type);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return (null, "no answer in time");
        }
        catch (Exception e) when (e is SocketException or IOException && OwnShortage.WordsOf(e) is null)
        {
            return (null, e.Message);
        }
    }

    private static (DnsAnswer? Answer, string? Failure) Judge(DnsResponse response, string name, DnsType type)
    {
        switch (response.Code)
        {
            case DnsResponse.NoError:
                var (records, canonical) = response.Answering(name, type);
                return (records.Count == 0
                    ? new DnsAnswer(DnsStatus.NoData, [], NegativeTtl, $"{name} has no such record")
                    {
                        IsAuthentic = response.IsAuthentic,
                        CanonicalName = canonical,
                    }
                    : new DnsAnswer(DnsStatus.Found, [.. records], response.Records.Min(static r => r.Ttl), string.Empty)
                    {
                        IsAuthentic = response.IsAuthentic,
                        CanonicalName = canonical,
                    }, null);
            case DnsResponse.NoSuchName:
                return (new DnsAnswer(DnsStatus.NoSuchDomain, [], NegativeTtl, $"{name} does not exist")
                {
                    IsAuthentic = response.IsAuthentic,
                }, null);
            default:
                return (null, DnsResponse.WordsOf(response.Code));
        }
    }

    private static async ValueTask<DnsResponse?> AskUdpAsync(
        IPEndPoint resolver, ReadOnlyMemory<byte> question, string name, DnsType type, CancellationToken ct)
    {
        using var socket = new Socket(resolver.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(resolver, ct).ConfigureAwait(false);
        await socket.SendAsync(question, ct).ConfigureAwait(false);
        var message = new byte[4096];
        var id = BinaryPrimitives.ReadUInt16BigEndian(question.Span);
        for (var strays = 0; strays < MaxStrays; strays++)
        {
            var read = await socket.ReceiveAsync(message, ct).ConfigureAwait(false);
            if (DnsMessage.TryRead(message.AsSpan(0, read), id, name, type) is { } response)
                return response;
        }

        return null;
    }

    private static async ValueTask<DnsResponse?> AskTcpAsync(
        IPEndPoint resolver, ReadOnlyMemory<byte> question, string name, DnsType type, CancellationToken ct)
    {
        using var socket = new Socket(resolver.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(resolver, ct).ConfigureAwait(false);
        await using var stream = new NetworkStream(socket, ownsSocket: false);
        var framed = new byte[question.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)question.Length);
        question.CopyTo(framed.AsMemory(2));
        await stream.WriteAsync(framed, ct).ConfigureAwait(false);
        var prefix = new byte[2];
        await stream.ReadExactlyAsync(prefix, ct).ConfigureAwait(false);
        var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(prefix)];
        await stream.ReadExactlyAsync(message, ct).ConfigureAwait(false);
        var response = DnsMessage.TryRead(message, BinaryPrimitives.ReadUInt16BigEndian(question.Span), name, type);
        return response is { IsTruncated: true } ? null : response;
    }
}

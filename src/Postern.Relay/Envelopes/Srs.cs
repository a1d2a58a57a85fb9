using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Sasl;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Envelopes;

/// <summary>
/// The Sender Rewriting Scheme: forwarded mail has a sender of this host's own domain, which whoever checks SPF (RFC 7208) takes from
/// here, and what is sent to that address goes to the sender it was made of. Arithmetic; nothing is remembered but the secrets. Written and
/// read as Mail::SRS, libsrs2 and postsrsd do, so that a secret of theirs goes on:
/// <c>SRS0=HHHH=TT=domain=local@ours</c>, and <c>SRS1=HHHH=host==HHHH=TT=domain=local@ours</c> where it was rewritten elsewhere before.
/// </summary>
/// <param name="domain">Of the addresses; its mail comes here.</param>
/// <param name="secrets">The first makes addresses, each of them verifies; at least one.</param>
/// <param name="days">How long an address of this host is taken; at most <see cref="MostDays"/>.</param>
public sealed class Srs(Domain domain, ImmutableArray<Secret> secrets, int days)
{
    /// <summary>The days of an address are counted modulo 1024, and one may be far away only on one side.</summary>
    public const int MostDays = 365;

    private const int HashLength = 4;
    private const int Cycle = 1024;
    private const string Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    private const string Separators = "=-+";

    private readonly ImmutableArray<byte[]> keys = [.. secrets.Select(static secret => Encoding.UTF8.GetBytes(secret.Reveal()))];

    public Domain Domain => domain;

    /// <summary>The sender that mail of <paramref name="sender"/> goes on with; null where that would be too long for an address.</summary>
    public Mailbox? Rewrite(Mailbox sender, DateTimeOffset now)
    {
        var local = LocalPart.Of(sender);
        if (IsTagged(local, '1') && Split(local[5..], 2) is [_, var first, var rest] && IsRest(rest) && Domain.TryParse(first, out _))
            return LocalPart.At($"SRS1={Hash(keys[0], first, rest)}={first}={rest}", domain);
        if (IsTagged(local, '0'))
            return LocalPart.At($"SRS1={Hash(keys[0], sender.Domain.Text, local[4..])}={sender.Domain.Text}={local[4..]}", domain);
        var day = Day(now);
        var time = $"{Digits[(day >> 5) & 31]}{Digits[day & 31]}";
        return LocalPart.At($"SRS0={Hash(keys[0], time, sender.Domain.Text, local)}={time}={sender.Domain.Text}={local}", domain);
    }

    /// <summary>What an address of this scheme leads to; null where it is none, or not of <see cref="Domain"/>.</summary>
    /// <param name="now">Null: however old it is, as of one that was in time when it was taken.</param>
    public SrsAnswer? Read(Mailbox address, DateTimeOffset? now)
    {
        if (!address.Domain.Equals(domain))
            return null;
        var local = LocalPart.Of(address);
        return IsTagged(local, '0') ? ReadFirst(Split(local[5..], 3), now)
            : IsTagged(local, '1') ? ReadSecond(Split(local[5..], 2))
            : null;
    }

    private SrsAnswer ReadFirst(string[] parts, DateTimeOffset? now)
    {
        if (parts is not [var hash, { Length: 2 } time, var host, { Length: > 0 } local] || DayOf(time) is not { } made)
            return Forged;
        if (!IsOurs(hash, time, host, local))
            return Forged;
        // A day ahead is the clock of another machine.
        var age = now is { } at ? (Day(at) - made + Cycle) % Cycle : 0;
        if (age > days && age != Cycle - 1)
            return new SrsAnswer.Refused(
                string.Create(CultureInfo.InvariantCulture, $"the address was made for mail sent on from here more than {days} days ago"));
        return Domain.TryParse(host, out var origin) && LocalPart.At(local, origin) is { } sender ? new SrsAnswer.Leads(sender) : Forged;
    }

    /// <summary>That of another host, who knows how long it is good for.</summary>
    private SrsAnswer ReadSecond(string[] parts) =>
        parts is [var hash, var host, var rest]
            && IsRest(rest)
            && IsOurs(hash, host, rest)
            && Domain.TryParse(host, out var first)
            && LocalPart.At("SRS0" + rest, first) is { } sender
                ? new SrsAnswer.Leads(sender)
                : Forged;

    /// <summary>What the first host made, behind its SRS0.</summary>
    private static bool IsRest(string text) => text.Length > 1 && Separators.Contains(text[0], StringComparison.Ordinal);

    private static SrsAnswer Forged { get; } = new SrsAnswer.Refused("the address looks rewritten, and was not made here");

    private bool IsOurs(string hash, params ReadOnlySpan<string> parts)
    {
        if (hash.Length != HashLength || !Ascii.IsValid(hash))
            return false;
        // The case may be lost on the way.
        var said = Encoding.ASCII.GetBytes(hash.ToUpperInvariant());
        var isOurs = false;
        foreach (var key in keys)
            isOurs |= CryptographicOperations.FixedTimeEquals(said, Encoding.ASCII.GetBytes(Hash(key, parts).ToUpperInvariant()));
        return isOurs;
    }

    private static string Hash(byte[] key, params ReadOnlySpan<string> parts)
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(parts).ToLowerInvariant());
#pragma warning disable CA5350 // as all who write this scheme have it; in an HMAC SHA-1 is not broken
        return Convert.ToBase64String(HMACSHA1.HashData(key, text))[..HashLength];
#pragma warning restore CA5350
    }

    private static int Day(DateTimeOffset at) => (int)(at.ToUnixTimeSeconds() / (24 * 60 * 60) % Cycle);

    private static int? DayOf(string time)
    {
        var high = Digits.IndexOf(char.ToUpperInvariant(time[0]), StringComparison.Ordinal);
        var low = Digits.IndexOf(char.ToUpperInvariant(time[1]), StringComparison.Ordinal);
        return high < 0 || low < 0 ? null : (high << 5) | low;
    }

    private static bool IsTagged(string local, char digit) =>
        local.Length > 5
        && local.StartsWith("SRS", StringComparison.OrdinalIgnoreCase)
        && local[3] == digit
        && Separators.Contains(local[4], StringComparison.Ordinal);

    /// <summary>Up to so many equals signs, and what is behind the last.</summary>
    private static string[] Split(string text, int signs) => text.Split('=', signs + 1);
}

/// <summary>What a rewritten address comes to.</summary>
public abstract record SrsAnswer
{
    private SrsAnswer()
    {
    }

    /// <summary>It was made here.</summary>
    /// <param name="To">The sender of which it was made, or the address of the host that rewrote it before.</param>
    public sealed record Leads(Mailbox To) : SrsAnswer;

    /// <summary>It was not made here, or is too old.</summary>
    /// <param name="Why">For whoever wrote to it.</param>
    public sealed record Refused(string Why) : SrsAnswer;
}

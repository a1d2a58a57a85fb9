using System.Globalization;
using Postern.Relay.Accounts.Dovecot;
using Postern.Sasl;

namespace Postern.Relay.DovecotAuth;

/// <summary>The lines that answer requests.</summary>
internal static class AuthReply
{
    public static string Cont(uint request, ReadOnlySpan<byte> data) =>
        string.Create(CultureInfo.InvariantCulture, $"CONT\t{request}\t{Convert.ToBase64String(data)}\n");

    /// <param name="data">What the mechanism says with its success; null for nothing.</param>
    public static string Ok(uint request, string user, ReadOnlyMemory<byte>? data)
    {
        var last = data is { } octets ? $"\tresp={Convert.ToBase64String(octets.Span)}" : null;
        return string.Create(CultureInfo.InvariantCulture, $"OK\t{request}\tuser={AuthLine.Field(user)}{last}\n");
    }

    /// <param name="claimed">What the client called itself; null where it did not get that far.</param>
    /// <param name="words">What the client may be told; null for the asking server's own words.</param>
    public static string Fail(uint request, SaslError error, string? claimed, string? words)
    {
        var user = claimed is null ? null : $"\tuser={AuthLine.Field(claimed)}";
        var code = IsOpen(error) ? "\tcode=temp_fail\ttemp" : null;
        var reason = (words ?? WordsOf(error)) is { } text ? $"\treason={AuthLine.Field(text)}" : null;
        return string.Create(CultureInfo.InvariantCulture, $"FAIL\t{request}{user}{code}{reason}\n");
    }

    /// <summary>Nobody has said that anything is wrong.</summary>
    public static bool IsOpen(SaslError error) => error is SaslError.TemporaryFailure or SaslError.TooMany;

    private static string? WordsOf(SaslError error) => error switch
    {
        SaslError.TooWeak => "Authentication mechanism is too weak",
        SaslError.TransitionNeeded => "A password transition is needed",
        SaslError.Malformed => "Malformed authentication data",
        _ => null,
    };
}

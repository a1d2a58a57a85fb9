using System.Diagnostics.CodeAnalysis;

namespace Postern.Sasl.Scram;

/// <summary>
/// The header that opens a SCRAM or OAUTHBEARER message (RFC 5801 §4): the channel binding flag and the authorization identity.
/// </summary>
/// <param name="Text">As it came, both commas included; SCRAM binds it.</param>
/// <param name="Binding">The channel binding's name where the flag is <c>p</c>; else null.</param>
/// <param name="IsDowngradeSuspected">The flag is <c>y</c>: the client could bind and believes that the server cannot.</param>
/// <param name="AuthorizationId">Empty when absent.</param>
internal sealed record Gs2Header(string Text, string? Binding, bool IsDowngradeSuspected, string AuthorizationId)
{
    /// <summary>Takes the header off the front of <paramref name="message"/>.</summary>
    public static bool TryTake(string message, [NotNullWhen(true)] out Gs2Header? header, out string rest)
    {
        header = null;
        rest = string.Empty;
        var first = message.IndexOf(',', StringComparison.Ordinal);
        var second = first < 0 ? -1 : message.IndexOf(',', first + 1);
        if (second < 0)
            return false;
        var flag = message[..first];
        var isBound = flag.StartsWith("p=", StringComparison.Ordinal);
        if (!isBound && flag is not ("n" or "y"))
            return false;
        if (isBound && !IsBindingName(flag.AsSpan(2)))
            return false;

        var authorization = message[(first + 1)..second];
        var name = string.Empty;
        if (authorization.Length > 0
            && (!authorization.StartsWith("a=", StringComparison.Ordinal)
                || authorization.Length == 2
                || !SaslName.TryDecode(authorization[2..], out name)))
            return false;
        header = new Gs2Header(message[..(second + 1)], isBound ? flag[2..] : null, flag == "y", name);
        rest = message[(second + 1)..];
        return true;
    }

    private static bool IsBindingName(ReadOnlySpan<char> name)
    {
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-'))
                return false;
        }

        return !name.IsEmpty;
    }
}

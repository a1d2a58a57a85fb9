using System.Net;

namespace Postern.Relay.Accounts.Stores.Web;

/// <summary>Where a service is that is asked over HTTP. Its address is shown and logged, so it holds nothing secret.</summary>
internal static class HttpAddress
{
    /// <param name="problem">What is wrong with it. It quotes nothing of the text: a password may stand there.</param>
    public static Uri? Of(string text, out string? problem)
    {
        problem = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address)
            || address.Scheme is not ("https" or "http")
            || address.Host.Length == 0
            || text.Any(static c => char.IsControl(c) || char.IsWhiteSpace(c)))
            problem = "it does not read https://host/path";
        else if (address.UserInfo.Length > 0)
            problem = "a password has no place in the address, which is shown and logged";
        else if (address.Query.Length > 0 || address.Fragment.Length > 0)
            problem = "what stands behind '?' or '#' has no place in it: the address is shown and logged";
        return problem is null ? address : null;
    }

    /// <summary>Nothing on the way to it but this machine.</summary>
    public static bool IsHere(Uri address) =>
        string.Equals(address.Host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(address.DnsSafeHost, out var ip) && IPAddress.IsLoopback(ip));
}

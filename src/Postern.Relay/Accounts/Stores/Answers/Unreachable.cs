using System.Net.Sockets;
using System.Security.Authentication;

namespace Postern.Relay.Accounts.Stores.Answers;

/// <summary>Why a server could not be asked, in words for the audit trail. They quote nothing that the server has sent.</summary>
internal static class Unreachable
{
    /// <summary>Null where it is no fault of the way there.</summary>
    public static string? WhyNot(Exception e)
    {
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause is AuthenticationException)
                return $"TLS: {cause.Message}";
            if (cause is SocketException)
                return $"it cannot be reached: {cause.Message}";
        }

        return null;
    }

    /// <summary>The same of a request by HTTP, where anything else is said by its kind.</summary>
    public static string WhyNotByHttp(Exception e)
    {
        if (WhyNot(e) is { } why)
            return why;
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            // Ours (GuardedFetch), or the stream's; those of the protocol derive from it, and may quote the answer.
            if (cause.GetType() == typeof(IOException))
                return cause.Message;
        }

        return e switch
        {
            HttpRequestException { HttpRequestError: var kind } => Words(kind),
            HttpIOException { HttpRequestError: var kind } => Words(kind),
            _ => $"a question threw {e.GetType().Name}",
        };
    }

    private static string Words(HttpRequestError kind) => kind switch
    {
        HttpRequestError.ResponseEnded => "the connection ended before the answer did",
        HttpRequestError.InvalidResponse => "what it answers is no HTTP",
        HttpRequestError.ConfigurationLimitExceeded => "the header of its answer is longer than is read",
        _ => $"it cannot be asked ({kind})",
    };
}

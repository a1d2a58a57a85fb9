using System.Net;
using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Tls.Sts;

/// <summary>
/// Fetches the policy of a domain over HTTPS (RFC 8461 §3.3): no redirect, at most 64 KiB, a certificate for the host, an address that
/// mail may be sent to.
/// </summary>
internal sealed class StsFetch(DeliveryOptions options, MxResolver resolver, TimeProvider clock)
{
    private const int MostOctets = 64 * 1024;

    public async ValueTask<StsFetched> RunAsync(Domain domain, CancellationToken ct)
    {
        using var deadline = new CancellationTokenSource(options.PolicyTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        var address = new UriBuilder(Uri.UriSchemeHttps, $"mta-sts.{domain.Text}", options.PolicyPort, "/.well-known/mta-sts.txt").Uri;
        try
        {
            // A connection is made for each: a policy is fetched once a day.
            using var http = StrangersFetch.Create(options, resolver, MostOctets);
            using var response = await http.GetAsync(address, either.Token).ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.OK)
                return Failed($"{address}: HTTP status {(int)response.StatusCode}");
            // Whoever lets strangers put files on his server serves them as something else (§3.2).
            if (!"text/plain".Equals(response.Content.Headers.ContentType?.MediaType, StringComparison.OrdinalIgnoreCase))
                return Failed($"{address} is not text/plain");
            var text = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false));
            return StsPolicy.Parse(text) switch
            {
                ({ } policy, _) => new StsFetched.Policy(policy),
                (_, var problem) => new StsFetched.Failed(TlsFault.StsPolicyInvalid, $"{address}: {problem}"),
            };
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Failed($"{address}: no policy within {options.PolicyTimeout.TotalSeconds:0} s");
        }
        catch (HttpRequestException e)
        {
            return new StsFetched.Failed(
                e.HttpRequestError == HttpRequestError.SecureConnectionError ? TlsFault.StsWebpkiInvalid : TlsFault.StsPolicyFetchError,
                $"{address}: {e.InnerException?.Message ?? e.Message}");
        }
    }

    private static StsFetched.Failed Failed(string words) => new(TlsFault.StsPolicyFetchError, words);
}

/// <summary>What fetching a policy came to.</summary>
internal abstract record StsFetched
{
    private StsFetched()
    {
    }

    public sealed record Policy(StsPolicy Value) : StsFetched;

    public sealed record Failed(TlsFault Fault, string Reason) : StsFetched;
}

using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Postern.Hosting.Data;
using Postern.Machine;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Admin;
using Postern.Relay.Admin.Kept;
using Postern.Relay.Admin.Limits;
using Postern.Relay.Admin.Senders;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy.Suspending;
using Postern.Relay.Policy.Watching;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Web.Api;
using Postern.Web.Calls;
using Postern.Web.Documents;

namespace Postern.Hosting.Control;

/// <summary>
/// Asks a running server over its socket, as the API is asked. A server that refuses or goes away throws <see cref="IOException"/>.
/// </summary>
internal sealed class ControlClient : IQueueAdmin
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private const int MostConfirmations = 10;

    /// <summary>Of a page of the queue.</summary>
    private const int MostItems = 500;

    private readonly HttpClient http;

    private ControlClient(HttpClient http) => this.http = http;

    /// <summary>Null when no server listens there.</summary>
    /// <exception cref="IOException">This user may not know: nothing may then be said about a server or its queue.</exception>
    public static async Task<ControlClient?> ConnectAsync(string path, CancellationToken ct)
    {
        if (!IsThere(path) || ControlServer.WhyNot(path) is not null)
            return null;
        try
        {
            using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await probe.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable)
        {
            // The file of a server that was killed.
            return null;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AccessDenied)
        {
            throw new IOException(
                $"a server is running, and {UserIdentity.Current} may not speak to it: {path} is for its owner and group", e);
        }

        return new ControlClient(new HttpClient(
            new SocketsHttpHandler { ConnectCallback = (_, token) => OpenAsync(path, token), UseProxy = false, AllowAutoRedirect = false })
        {
            BaseAddress = new Uri($"http://postern{Route.Base}/"),
            Timeout = Patience,
        });
    }

    public ValueTask<StatusDocument> StatusAsync(CancellationToken ct) => GetAsync<StatusDocument>("status", ct);

    public async ValueTask<QueuePage> ListAsync(QueueFilter filter, int limit, QueueId? after, CancellationToken ct)
    {
        // A page of the server is never larger; whoever asks for more gets several as one.
        QueuePage? all = null;
        do
        {
            var page = await GetAsync<QueuePage>(
                Query(
                    "queue",
                    QueueParameters.Write(filter),
                    Part("limit", Math.Min(limit - (all?.Items.Length ?? 0), MostItems).ToString(CultureInfo.InvariantCulture)),
                    Part("after", after?.ToString())),
                ct);
            all = all is null ? page : all with { Items = all.Items.AddRange(page.Items) };
            after = page.Items.Length < MostItems ? null : QueueId.TryParse(page.Items[^1].Id, out var last) ? last : null;
        }
        while (after is not null && all.Items.Length < limit);
        return all;
    }

    public async ValueTask<QueueItem?> FindAsync(QueueId id, CancellationToken ct)
    {
        using var answer = await SendAsync(new(HttpMethod.Get, $"queue/{id}"), ct);
        return answer.StatusCode == HttpStatusCode.NotFound ? null : await ReadAsync<QueueItem>(answer, ct);
    }

    public async ValueTask<bool> CopyContentAsync(QueueId id, Stream to, CancellationToken ct)
    {
        using var answer = await SendAsync(new(HttpMethod.Get, $"queue/{id}/content"), ct, HttpCompletionOption.ResponseHeadersRead);
        if (answer.StatusCode == HttpStatusCode.NotFound)
            return false;
        if (!answer.IsSuccessStatusCode)
            throw await RefusalOfAsync(answer, ct);
        try
        {
            await answer.Content.CopyToAsync(to, ct);
            return true;
        }
        catch (HttpRequestException e)
        {
            throw new IOException($"the content came in part only: {e.Message}", e);
        }
    }

    /// <summary>The number of messages is asked first and confirmed; where it changes in between, it is asked again.</summary>
    public async ValueTask<QueueChange> ApplyAsync(QueueAction action, QueueFilter filter, string? with, CancellationToken ct)
    {
        var change = new ChangeQueue(action, filter, with) { Everything = filter.IsEverything };
        for (var tries = 0; tries < MostConfirmations; tries++)
        {
            using var answer = await SendAsync(Post("queue/changes", change), ct);
            if (answer.StatusCode is not (HttpStatusCode.PreconditionRequired or HttpStatusCode.Conflict))
                return await ReadAsync<QueueChange>(answer, ct);
            var confirmed = await answer.Content.ReadFromJsonAsync(ApiJson.Of<ProblemDocument>(), ct);
            change = change with { Token = confirmed?.Token ?? throw new IOException("the server asks to confirm, and does not say what") };
        }

        throw new IOException("other messages are meant each time: name fewer of them");
    }

    public ValueTask<QueueStatistics> CountAsync(QueueFilter filter, int most, CancellationToken ct) =>
        GetAsync<QueueStatistics>(
            Query("queue/destinations", QueueParameters.Write(filter), Part("most", most.ToString(CultureInfo.InvariantCulture))), ct);

    public ValueTask<SuspensionChange> SuspendAsync(string[] domains, bool suspends, CancellationToken ct) =>
        AskAsync<SuspensionChange>(Post("queue/suspensions", new SuspendDomains(domains, suspends)), ct);

    public ValueTask<Resending> ResendAsync(QueueId id, ImmutableArray<Mailbox> to, bool onlyFailed, CancellationToken ct) =>
        AskAsync<Resending>(
            Post($"messages/{id}/resend", new ResendKept([.. to.Select(static one => one.Address)], onlyFailed)), ct);

    /// <summary>Lets the server go by the changed configuration.</summary>
    public ValueTask<ReloadReport> ReloadAsync(CancellationToken ct) =>
        AskAsync<ReloadReport>(new(HttpMethod.Post, "configuration/reload"), ct);

    public ValueTask<ImmutableArray<SessionItem>> ListSessionsAsync(SessionFilter filter, CancellationToken ct) =>
        GetAsync<ImmutableArray<SessionItem>>(
            Query(
                "sessions",
                [
                    .. (filter.Ids.IsDefault ? [] : filter.Ids).Select(static id => Part("id", id)),
                    Part("login", filter.Login),
                    Part("client", filter.Client),
                ]),
            ct);

    public ValueTask<SessionChange> EndSessionsAsync(SessionFilter filter, CancellationToken ct) =>
        AskAsync<SessionChange>(Post("sessions/end", filter), ct);

    /// <summary>Ends the sessions whose login is gone.</summary>
    public ValueTask<LoginsReviewed> ReviewSessionsAsync(CancellationToken ct) =>
        AskAsync<LoginsReviewed>(new(HttpMethod.Post, "sessions/review"), ct);

    /// <param name="target">Only what concerns an address and its network, or an account; null for all.</param>
    public ValueTask<ImmutableArray<LoginBlock>> BlocksAsync(string? target, CancellationToken ct) =>
        GetAsync<ImmutableArray<LoginBlock>>(Query("logins/paused", Part("target", target)), ct);

    /// <summary>What the stores say to the server of a user.</summary>
    public ValueTask<ImmutableArray<StoreWordDocument>> AskStoresAsync(string user, string? listener, CancellationToken ct) =>
        GetAsync<ImmutableArray<StoreWordDocument>>(Query("logins/stores", Part("user", user), Part("listener", listener)), ct);

    /// <summary>The number of budgets that held wrong logins.</summary>
    public async ValueTask<int> LiftAsync(string target, CancellationToken ct) =>
        (await AskAsync<Lifted>(new(HttpMethod.Delete, Query("logins/paused", Part("target", target))), ct)).Budgets;

    /// <summary>What is used of the limits of somebody, or of all who have used something.</summary>
    public ValueTask<ImmutableArray<LimitUse>> LimitsAsync(string? name, CancellationToken ct) =>
        GetAsync<ImmutableArray<LimitUse>>(Query("limits", Part("name", name)), ct);

    public ValueTask<LimitChange> RaiseLimitAsync(RaiseLimit raise, CancellationToken ct) =>
        AskAsync<LimitChange>(Post("limits/raise", raise), ct);

    public ValueTask<LimitChange> UndoLimitAsync(UndoLimit undo, CancellationToken ct) =>
        AskAsync<LimitChange>(Post("limits/undo", undo), ct);

    /// <param name="all">Also those that are as always.</param>
    public ValueTask<ImmutableArray<WatchState>> WatchedAsync(bool all, CancellationToken ct) =>
        GetAsync<ImmutableArray<WatchState>>(Query("logins/watched", Part("all", all ? "true" : null)), ct);

    public ValueTask<ForgivenLogins> ForgiveAsync(string login, CancellationToken ct) =>
        AskAsync<ForgivenLogins>(Post("logins/watched/forgive", new ForgiveLogin(login)), ct);

    /// <summary>Who sends nothing for a while.</summary>
    public ValueTask<ImmutableArray<Suspension>> SuspendedAsync(CancellationToken ct) =>
        GetAsync<ImmutableArray<Suspension>>("suspensions", ct);

    public ValueTask<SenderSuspension> SuspendSenderAsync(SuspendSender whom, CancellationToken ct) =>
        AskAsync<SenderSuspension>(Post("suspensions", whom), ct);

    public ValueTask<SenderSuspension> ResumeSenderAsync(ResumeSender whom, CancellationToken ct) =>
        AskAsync<SenderSuspension>(Post("suspensions/resume", whom), ct);

    /// <summary>What mail to a domain is held to, and what is slowed now.</summary>
    /// <param name="tenant">Whose mail; null for that of none.</param>
    public ValueTask<ShapingReport> ExplainShapingAsync(string domain, string? tenant, CancellationToken ct) =>
        GetAsync<ShapingReport>(Query("shaping", Part("domain", domain), Part("tenant", tenant)), ct);

    /// <summary>What the server would decide.</summary>
    public ValueTask<WhatIfAnswer> ExplainAsync(WhatIf question, CancellationToken ct) =>
        AskAsync<WhatIfAnswer>(Post("explain", question), ct);

    public ValueTask DisposeAsync()
    {
        http.Dispose();
        return ValueTask.CompletedTask;
    }

    private ValueTask<T> GetAsync<T>(string path, CancellationToken ct) => AskAsync<T>(new(HttpMethod.Get, path), ct);

    private async ValueTask<T> AskAsync<T>(HttpRequestMessage request, CancellationToken ct)
    {
        using var answer = await SendAsync(request, ct);
        return await ReadAsync<T>(answer, ct);
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken ct, HttpCompletionOption until = HttpCompletionOption.ResponseContentRead)
    {
        using (request)
        {
            try
            {
                return await http.SendAsync(request, until, ct);
            }
            catch (HttpRequestException e)
            {
                throw new IOException($"the server does not answer: {e.Message}", e);
            }
        }
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage answer, CancellationToken ct)
    {
        if (!answer.IsSuccessStatusCode)
            throw await RefusalOfAsync(answer, ct);
        return await answer.Content.ReadFromJsonAsync(ApiJson.Of<T>(), ct) ?? throw new IOException("the server answered nothing");
    }

    private static async Task<IOException> RefusalOfAsync(HttpResponseMessage answer, CancellationToken ct)
    {
        try
        {
            var problem = await answer.Content.ReadFromJsonAsync(ApiJson.Of<ProblemDocument>(), ct);
            return new IOException(problem?.Detail ?? problem?.Title ?? $"the server answered {answer.StatusCode}");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            return new IOException($"the server answered {answer.StatusCode}", e);
        }
    }

    // File.Exists answers no where it may not look.
    private static bool IsThere(string path)
    {
        try
        {
            _ = File.GetAttributes(path);
            return true;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"{UserIdentity.Current} may not look into {Path.GetDirectoryName(path)}", e);
        }
    }

    private static HttpRequestMessage Post<T>(string path, T body) =>
        new(HttpMethod.Post, path) { Content = JsonContent.Create(body, ApiJson.Of<T>()) };

    private static string Query(string path, params ReadOnlySpan<string> parts)
    {
        var given = new StringBuilder();
        foreach (var part in parts)
        {
            if (part.Length > 0)
                given.Append(given.Length == 0 ? '?' : '&').Append(part);
        }

        return path + given;
    }

    /// <summary>Empty where there is no value.</summary>
    private static string Part(string name, string? value) => value is null ? string.Empty : $"{name}={Uri.EscapeDataString(value)}";

    private static async ValueTask<Stream> OpenAsync(string path, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

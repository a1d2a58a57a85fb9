using System.Collections.Immutable;
using System.Text.Json;
using Postern.Configuration;
using Postern.Configuration.Reading;
using Postern.Relay.Accounts.Stores.Vault;
using Postern.Sasl;

namespace Postern.Hosting.Live;

/// <summary>
/// The secrets of a configuration that are in Vault (<see cref="VaultReference"/>): reads them, and remembers what they came to, for while
/// Vault cannot answer.
/// </summary>
/// <param name="before">What they came to when somebody read them before; null where nobody did.</param>
internal sealed class SecretsInVault(TimeProvider clock, ImmutableDictionary<VaultReference, Secret>? before = null) : IDisposable
{
    /// <summary>A start waits so long for a Vault that does not answer: after a power failure it may start at the same time.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const int MostOctets = 64 * 1024;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim turn = new(1);
    private ImmutableDictionary<VaultReference, Secret> known = before ?? ImmutableDictionary<VaultReference, Secret>.Empty;
    private VaultAccess? access;
    private VaultClient? vault;

    /// <summary>Reads every secret that the configuration has there.</summary>
    /// <param name="patience">How long one that cannot be read and was not read before is waited for.</param>
    /// <param name="note">Hears once what is waited for; null where nobody listens.</param>
    public async Task<Reading> ReadAsync(
        PosternConfiguration configuration, TimeSpan patience, Action<string>? note, CancellationToken ct)
    {
        await turn.WaitAsync(ct);
        try
        {
            var begun = clock.GetTimestamp();
            while (true)
            {
                var reading = await ReadOnceAsync(configuration, ct);
                if (!reading.Missing.Any(static m => m.IsOutage) || clock.GetElapsedTime(begun) + Pause > patience)
                    return reading;
                note?.Invoke($"waiting for Vault: {reading.Missing.First(static m => m.IsOutage).Why}");
                note = null;
                await Task.Delay(Pause, clock, ct);
            }
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose()
    {
        vault?.Dispose();
        turn.Dispose();
    }

    private async Task<Reading> ReadOnceAsync(PosternConfiguration configuration, CancellationToken ct)
    {
        Use(configuration.Vault!.Access);
        var values = ImmutableDictionary.CreateBuilder<VaultReference, Secret>();
        var missing = ImmutableArray.CreateBuilder<(VaultReference Reference, string Why, bool IsOutage)>();
        var old = ImmutableArray.CreateBuilder<(VaultReference Reference, string Why)>();
        foreach (var place in configuration.InVault.Values.Distinct().GroupBy(static reference => (reference.Mount, reference.Path)))
        {
            var answer = await AskAsync(place.Key.Mount, place.Key.Path, ct);
            foreach (var reference in place)
            {
                if (answer is VaultAnswer.Found(var secret))
                {
                    if (Read(secret, reference.Key, out var why) is { } value)
                        values[reference] = value;
                    else
                        missing.Add((reference, why, IsOutage: false));
                }
                else if (answer is VaultAnswer.Unavailable(var reason) && known.TryGetValue(reference, out var kept))
                {
                    values[reference] = kept;
                    old.Add((reference, reason));
                }
                else
                {
                    missing.Add(answer is VaultAnswer.Unavailable(var why)
                        ? (reference, why, IsOutage: true)
                        : (reference, "there is no such secret", IsOutage: false));
                }
            }
        }

        known = known.SetItems(values);
        return new Reading(values.ToImmutable(), missing.ToImmutable(), old.ToImmutable());
    }

    private async Task<VaultAnswer> AskAsync(string mount, string path, CancellationToken ct)
    {
        using var deadline = new CancellationTokenSource(access!.Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        try
        {
            return await vault!.ReadAsync(mount, path, path, either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new VaultAnswer.Unavailable("it does not answer in time");
        }
    }

    private void Use(VaultAccess wanted)
    {
        if (vault is not null && access == wanted)
            return;
        vault?.Dispose();
        (access, vault) = (wanted, new VaultClient(wanted, clock));
    }

    private static Secret? Read(JsonElement secret, string key, out string why)
    {
        why = string.Empty;
        if (!secret.TryGetProperty(key, out var field))
            why = "the secret has no such key";
        else if (field.ValueKind != JsonValueKind.String || field.GetString() is not { Length: > 0 and <= MostOctets } text)
            why = "it is no text, empty, or longer than 64 KiB";
        else if (text.Any(char.IsControl))
            why = "it holds more than one line, or a control character";
        else
            return new Secret(text);
        return null;
    }

    /// <summary>What came of asking for all of them.</summary>
    /// <param name="Missing">Of which there is nothing to go by.</param>
    /// <param name="Old">That could not be read, and are as they were.</param>
    internal sealed record Reading(
        ImmutableDictionary<VaultReference, Secret> Values,
        ImmutableArray<(VaultReference Reference, string Why, bool IsOutage)> Missing,
        ImmutableArray<(VaultReference Reference, string Why)> Old);
}

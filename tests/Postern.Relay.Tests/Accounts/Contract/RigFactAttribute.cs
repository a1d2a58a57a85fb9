using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using Xunit.Sdk;
using Xunit.v3;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>A test of the contract for stores that can hold what it is about: for the others there is no such test, and an empty cell in docs/stores.md.</summary>
[XunitTestCaseDiscoverer(typeof(RigFactDiscoverer))]
[AttributeUsage(AttributeTargets.Method)]
public sealed class RigFactAttribute(StoreAbilities needs, [CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
    : FactAttribute(sourceFilePath, sourceLineNumber)
{
    public StoreAbilities Needs => needs;
}

/// <summary>A test for each failure that can happen to the store; see <see cref="RigFailuresAttribute"/>.</summary>
[XunitTestCaseDiscoverer(typeof(RigTheoryDiscoverer))]
[AttributeUsage(AttributeTargets.Method)]
public sealed class RigTheoryAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1) : TheoryAttribute(sourceFilePath, sourceLineNumber);

/// <summary>The failures that the rig of the test's class knows.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RigFailuresAttribute : DataAttribute
{
    /// <summary>Only those that come over a store that has worked, and not those of an entry that never did.</summary>
    public bool OfWorkingStores { get; init; }

    public override async ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        [.. Of(await RigNature.OfAsync(testMethod.DeclaringType!)).Select(static failure => new TheoryDataRow<StoreFailure>(failure))];

    public override bool SupportsDiscoveryEnumeration() => true;

    internal StoreFailure[] Of(RigNature nature) => OfWorkingStores ? nature.Passing : nature.Failures;
}

internal sealed class RigFactDiscoverer : FactDiscoverer
{
    public override async ValueTask<IReadOnlyCollection<IXunitTestCase>> Discover(ITestFrameworkDiscoveryOptions discoveryOptions, IXunitTestMethod testMethod, IFactAttribute factAttribute) =>
        (await RigNature.OfAsync(testMethod.Method.DeclaringType!)).Abilities.HasFlag(((RigFactAttribute)factAttribute).Needs)
            ? await base.Discover(discoveryOptions, testMethod, factAttribute)
            : [];
}

internal sealed class RigTheoryDiscoverer : TheoryDiscoverer
{
    public override async ValueTask<IReadOnlyCollection<IXunitTestCase>> Discover(ITestFrameworkDiscoveryOptions discoveryOptions, IXunitTestMethod testMethod, IFactAttribute factAttribute) =>
        testMethod.Method.GetCustomAttribute<RigFailuresAttribute>()!.Of(await RigNature.OfAsync(testMethod.Method.DeclaringType!)).Length > 0 ? await base.Discover(discoveryOptions, testMethod, factAttribute) : [];
}

/// <summary>What a rig says of its store, which needs nothing started.</summary>
internal sealed record RigNature(StoreAbilities Abilities, StoreFailure[] Failures, StoreFailure[] Passing)
{
    private static readonly ConcurrentDictionary<Type, Task<RigNature>> Known = new();

    /// <param name="contract"><see cref="StoreContract{TRig}"/> of some rig.</param>
    public static Task<RigNature> OfAsync(Type contract) => Known.GetOrAdd(contract.GetGenericArguments()[0], LookAsync);

    private static async Task<RigNature> LookAsync(Type type)
    {
        await using var rig = (IStoreRig)Activator.CreateInstance(type)!;
        return new(
            rig.Abilities | (rig.ConfigureSocket() is null ? StoreAbilities.None : StoreAbilities.Socket),
            [.. rig.Faults.Keys.Order()],
            [.. rig.Faults.Where(static fault => fault.Value.Entry is null).Select(static fault => fault.Key).Order()]);
    }
}

using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;

namespace Postern.Relay.Tests.Accounts;

public sealed class AccountStoresTests
{
    [Fact]
    public void Every_store_of_the_assembly_is_on_the_list()
    {
        using var fixture = new DirectoryFixture();
        var context = new StoreContext(fixture.Database);
        var listed = AccountStores.All.Select(line => (Word: line.Key, Store: line.Value(context))).ToList();
        Assert.All(listed, line => Assert.Equal(line.Word, line.Store.Name));
        var written = typeof(IAccountStore).Assembly.GetTypes().Where(t => t.IsClass && !t.IsAbstract && t.IsAssignableTo(typeof(IAccountStore)));
        var missing = written.Except(listed.Select(line => line.Store.GetType())).Select(t => $"AccountStores.All has no line for {t.Name}");
        Assert.Empty(missing);
    }
}

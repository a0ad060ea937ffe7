Console.WriteLine("piku");

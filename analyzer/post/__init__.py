"""Hand results on to where people read them: nothing here runs unless `offlint post` asks."""
